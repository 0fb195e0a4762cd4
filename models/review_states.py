"""States of an invoice's review, in one place."""

NOT_REQUIRED = "not_required"
PENDING = "pending"
SUBMITTED = "submitted"
ACCEPTED = "accepted"
REJECTED = "rejected"

WAITING = (PENDING, SUBMITTED, REJECTED)
"""Not accepted yet: the due date is an estimate and nobody is dunned for it."""
