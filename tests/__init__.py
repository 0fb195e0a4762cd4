from . import test_balances
from . import test_engine_aging
from . import test_engine_dunning
from . import test_ladder
from . import test_policy
from . import test_smoke
from . import test_statement
from . import test_statement_pdf
