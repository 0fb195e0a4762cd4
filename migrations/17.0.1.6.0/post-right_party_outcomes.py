"""Which of the shipped outcomes say that who decides was reached: data that a person may change is never updated."""

REACHED = ("outcome_promised", "outcome_disputes", "outcome_paid", "outcome_refuses", "outcome_documents")


def migrate(cr, version):
    cr.execute(
        """UPDATE collection_outcome outcome
              SET right_party = TRUE
             FROM ir_model_data data
            WHERE data.module = 'account_collection' AND data.model = 'collection.outcome'
              AND data.name IN %s AND data.res_id = outcome.id""",
        [REACHED],
    )
