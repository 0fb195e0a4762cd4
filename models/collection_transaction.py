import logging

import psycopg2

from odoo import api, models

_logger = logging.getLogger(__name__)

TRIES = 10
CONFLICTS = (psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected)


class CollectionTransaction(models.AbstractModel):
    """Long jobs as a series of transactions, each of which stays when a later one dies.

    *How to use.* Inherit, and call ``_in_transaction(work, *arguments)`` for each piece. Every commit of the add-on's
    cron jobs is the one below.
    """

    _name = "collection.transaction"
    _description = "Work Committed Piece by Piece"

    @api.model
    def _in_transaction(self, work, *args):
        """Do a piece of work, commit it and return its result. When somebody else changed what it read, it begins again
        from what they committed; after ``TRIES`` the error is raised and the next run of the cron job goes on."""
        for attempt in range(1, TRIES + 1):
            try:
                result = work(*args)
                self._commit()
                return result
            except CONFLICTS:
                self.env.cr.rollback()
                self.env.invalidate_all()
                if attempt == TRIES:
                    raise

    @api.model
    def _attempt(self, failure, work, *args):
        """Do a piece of work that must stop nothing else, and return its result: what goes wrong in it is undone and
        logged as ``failure``, a sentence. What another session makes impossible is raised, to begin again."""
        try:
            with self.env.cr.savepoint():
                return work(*args)
        except psycopg2.OperationalError:
            raise
        except Exception:
            _logger.exception("%s", failure)

    @api.model
    def _commit(self):
        """What is done stays done, whatever comes; the memory of it is let go."""
        self.env.flush_all()
        self.env.cr.commit()  # pylint: disable=invalid-commit
        self.env.invalidate_all()
