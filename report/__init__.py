from . import (
    statement_pdf,
    statement_report,
    statement_xlsx,
    route_sheet,
    collection_review_report,
    check_slip,
    collection_cash_plan,
    collection_aging_line,
    aging_document,
    kpi_xlsx,
)
