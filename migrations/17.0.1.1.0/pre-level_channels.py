"""The channel and the fallback channel of a level become rows of its list of channels."""


def migrate(cr, version):
    # Odoo makes the table of channels later, and drops the two columns when everything is loaded: until then they must
    # not hold back levels that know nothing of them.
    cr.execute("ALTER TABLE collection_level ALTER channel DROP NOT NULL")
