import doctest

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import deliveries
from ..engine.deliveries import spread
from .examples import examples

SETTINGS = settings(max_examples=examples(200), deadline=None, database=None, print_blob=True)
HALVES = st.integers(0, 40).map(lambda number: number / 2)


@tagged("post_install", "-at_install")
class TestEngineDeliveries(BaseCase):
    def test_the_examples_in_the_documentation_hold(self):
        result = doctest.testmod(deliveries)
        self.assertGreater(result.attempted, 0)
        self.assertEqual(result.failed, 0)

    @SETTINGS
    @given(st.integers(-50_000, 50_000), HALVES.filter(bool), st.lists(HALVES, max_size=6))
    def test_parts_are_the_amount_and_the_latest_come_first(self, amount, waiting, delivered):
        parts = spread(amount, waiting, delivered)
        self.assertEqual(len(parts), len(delivered) + 1)
        self.assertEqual(sum(parts), amount)
        passed = 0
        for part, quantity in zip(parts, delivered, strict=False):
            mine = max(min(passed + quantity, waiting) - min(passed, waiting), 0)
            self.assertLessEqual(
                abs(part - amount * mine / waiting), len(parts), "as many cents as there were roundings"
            )
            passed += quantity
        if passed >= waiting:
            self.assertEqual(parts[-1], 0)
