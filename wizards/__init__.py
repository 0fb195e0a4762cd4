from . import collection_due_date_wizard
from . import collection_recompute_wizard
from . import collection_review_import
from . import collection_review_wizard
from . import collection_route_wizard
from . import collection_statement_wizard
