from . import test_crash
from . import test_dispatch
from . import test_engine_aging
from . import test_install
from . import test_smoke
from . import test_statement
from . import test_statement_pdf
