"""States of a notice and of a letter, in one place."""

PROPOSED = "proposed"
QUEUED = "queued"
OUTGOING = "outgoing"
SENT = "sent"
FAILED = "failed"
CANCELLED = "cancelled"
SKIPPED = "skipped"

# Of a letter, once it was printed into its PDF: what people did with the paper.
TO_PRINT = "to_print"
PRINTED = "printed"
HANDED_OVER = "handed_over"
RETURNED = "returned"
