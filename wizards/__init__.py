from . import collection_statement_wizard
