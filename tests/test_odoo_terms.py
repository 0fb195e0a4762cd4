"""Odoo's own tests of payment terms, run with the add-on installed: what is not on review terms behaves as before."""

from odoo.addons.account.tests.test_early_payment_discount import TestAccountEarlyPaymentDiscount
from odoo.addons.account.tests.test_payment_term import TestAccountPaymentTerms

__all__ = ["TestAccountEarlyPaymentDiscount", "TestAccountPaymentTerms"]
