"""A digest that tells of checks to deposit tells of their other alerts too: the data of digests is never updated."""


def migrate(cr, version):
    cr.execute(
        """UPDATE digest_digest
              SET kpi_collection_checks_deadline = TRUE, kpi_collection_checks_stale = TRUE,
                  kpi_collection_checks_inactive = TRUE
            WHERE kpi_collection_checks_due"""
    )
