from odoo.tests import tagged

from .check_common import CheckCommon


@tagged("post_install", "-at_install")
class TestCheckCost(CheckCommon):
    """What further checks cost does not grow with their number."""

    def receive(self, count):
        """Checks in custody of as many customers, each meant for part of an invoice."""
        found = self.Check
        customers = self.make_customers(*(f"Drawer {number} of {count}" for number in range(count)))
        self.make_invoices(*((customer, 600, 5) for customer in customers))
        for customer in customers:
            found += self.make_check(500, partner=customer)
        return found

    def assert_each_costs_the_same(self, get_work, most):
        """:param get_work: from some checks to what is done with all of them at once"""
        self.count_statements(get_work(self.receive(1)))
        few, some, many = (self.count_statements(get_work(self.receive(count))) for count in (2, 4, 8))
        first, second = (some - few) / 2, (many - some) / 4
        self.assertLessEqual(second, first * 1.1)
        self.assertLessEqual(second, most)

    def test_deposit(self):
        self.assert_each_costs_the_same(lambda found: lambda: found._deposit(self.today), 60)

    def test_bounce(self):
        def bounce(found):
            found._deposit(self.today)
            return lambda: found._bounce(self.today, "Funds", penalty=False)

        self.assert_each_costs_the_same(bounce, 100)
