from . import test_smoke
from . import test_rights
from . import test_screens
