"""States of a notice, in one place."""

PROPOSED = "proposed"
QUEUED = "queued"
OUTGOING = "outgoing"
SENT = "sent"
FAILED = "failed"
CANCELLED = "cancelled"
SKIPPED = "skipped"
