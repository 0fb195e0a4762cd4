"""Collectors were chosen by hand until now: they stay, whatever portfolios are set up."""


def migrate(cr, version):
    cr.execute("UPDATE collection_debtor SET collector_locked = TRUE WHERE collector_id IS NOT NULL")
