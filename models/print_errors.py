"""What printing tells the dispatcher."""

from odoo.exceptions import UserError


class PrintTimeoutError(UserError):
    """It took too long, maybe because of its neighbours: worth another try."""


class NotPrintedError(Exception):
    """``errors``: ``{notice: exception}`` of those whose statement could not be printed, and of no other."""

    def __init__(self, errors):
        super().__init__(errors)
        self.errors = errors
