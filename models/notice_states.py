"""States of a notice, in one place."""

PROPOSED = "proposed"
QUEUED = "queued"
OUTGOING = "outgoing"
SENT = "sent"
FAILED = "failed"
CANCELLED = "cancelled"
SKIPPED = "skipped"

# Nothing has left yet: the debtor gets no other notice of the ladder meanwhile.
PENDING = (PROPOSED, QUEUED, OUTGOING)
