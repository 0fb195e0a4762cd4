from . import statement_pdf, statement_report
