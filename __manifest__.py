{
    "name": "Collections",
    "summary": "Turn posted customer invoices into collected money: debtors, dunning ladder, statements",
    "version": "17.0.1.0.0",
    "author": "account_collection contributors",
    "license": "LGPL-3",
    "category": "Accounting/Accounting",
    "application": True,
    "depends": ["account", "mail", "portal"],
    "external_dependencies": {"python": ["xlsxwriter", "dateutil"]},
    "data": [
        "security/collection_security.xml",
        "security/ir.model.access.csv",
        "report/statement_templates.xml",
        "report/statement_report.xml",
    ],
}
