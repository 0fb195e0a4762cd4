from . import collection_debtor
from . import collection_debtor_statement
from . import ir_actions_report
