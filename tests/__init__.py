from . import test_engine_aging
from . import test_smoke
from . import test_statement
from . import test_statement_pdf
