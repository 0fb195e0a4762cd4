"""What a company does when a customer invoice goes over the customer's credit limit."""

NOTHING, WARN, BLOCK = "none", "warn", "block"
CREDIT_CHECKS = [(NOTHING, "Nothing"), (WARN, "Warning"), (BLOCK, "Block")]
