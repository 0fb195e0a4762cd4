from . import test_engine_aging, test_smoke, test_statement, test_statement_pdf
