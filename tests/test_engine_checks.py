import doctest
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import checks
from ..engine.checks import Item, Share
from .examples import examples

DAY = date(2026, 5, 1)
SETTINGS = settings(max_examples=examples(100), deadline=None, database=None, print_blob=True)
ITEMS = st.lists(
    st.builds(
        lambda days, open_, same, percent: (days, open_, same, open_ * percent // 100 if same else 0),
        st.integers(0, 90),
        st.integers(-500, 5_000),
        st.booleans(),
        st.integers(0, 5),
    ),
    max_size=8,
).map(
    lambda rows: [
        Item(number, DAY + timedelta(days=days), open_, same, max(discount, 0))
        for number, (days, open_, same, discount) in enumerate(rows)
    ]
)
AMOUNT = st.integers(1, 20_000)


@tagged("post_install", "-at_install")
class TestEngineChecks(BaseCase):
    """Properties of the allocation and of the deadlines."""

    def test_the_examples_in_the_documentation_hold(self):
        result = doctest.testmod(checks)
        self.assertTrue(result.attempted)
        self.assertFalse(result.failed)

    @SETTINGS
    @given(AMOUNT, ITEMS)
    def test_what_is_suggested_fits(self, amount, items):
        shares = checks.suggest(amount, items)
        by_id = {item.line_id: item for item in items}
        self.assertLessEqual(sum(share.amount for share in shares), amount)
        for share in shares:
            self.assertGreater(share.amount, 0)
            self.assertLessEqual(share.amount + share.discount, by_id[share.line_id].open)
            self.assertIn(share.discount, (0, by_id[share.line_id].discount))

    @SETTINGS
    @given(AMOUNT, ITEMS)
    def test_nothing_is_left_while_something_is_open(self, amount, items):
        """There is an advance only when every item is settled; at most the last share leaves its item open."""
        shares = checks.suggest(amount, items)
        open_items = [item for item in items if item.open > 0]
        settled = {share.line_id for share in shares if share.amount + share.discount == self.open_of(items, share)}
        if sum(share.amount for share in shares) < amount:
            self.assertEqual(settled, {item.line_id for item in open_items})
        self.assertLessEqual(len(shares) - len(settled), 1)

    @staticmethod
    def open_of(items, share):
        return next(item.open for item in items if item.line_id == share.line_id)

    @SETTINGS
    @given(AMOUNT, ITEMS)
    def test_its_own_currency_and_the_oldest_first(self, amount, items):
        shares = checks.suggest(amount, items)
        by_id = {item.line_id: item for item in items}
        order = [(not by_id[share.line_id].same_currency, by_id[share.line_id].due) for share in shares]
        self.assertEqual(order, sorted(order))

    @SETTINGS
    @given(AMOUNT, ITEMS)
    def test_settling_what_still_fits_changes_nothing(self, amount, items):
        shares = checks.suggest(amount, items)
        self.assertEqual(checks.settle(amount, shares, items), shares)

    @SETTINGS
    @given(AMOUNT, AMOUNT, ITEMS, ITEMS)
    def test_what_is_settled_fits(self, before, amount, old, new):
        """Whatever was paid, credited or added meanwhile, and however much the new check is for."""
        shares = checks.settle(amount, checks.suggest(before, old), new)
        by_id = {item.line_id: item for item in new}
        self.assertLessEqual(sum(share.amount for share in shares), min(amount, before))
        self.assertEqual(len({share.line_id for share in shares}), len(shares))
        for share in shares:
            self.assertGreater(share.amount, 0)
            self.assertLessEqual(share.amount + share.discount, by_id[share.line_id].open)

    @SETTINGS
    @given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
    def test_deadlines(self, day):
        """Article 181: 15 natural days, one month, three months; a month that is shorter ends on its last day."""
        self.assertEqual((checks.presentation_deadline(day, "same") - day).days, 15)
        for place, months in (("other", 1), ("abroad", 3)):
            deadline = checks.presentation_deadline(day, place)
            number = day.year * 12 + day.month - 1 + months
            self.assertEqual((deadline.year, deadline.month - 1), divmod(number, 12))
            last = (deadline + timedelta(days=1)).month != deadline.month
            self.assertTrue(deadline.day == day.day or (last and deadline.day < day.day))

    def test_share_of_nothing(self):
        self.assertEqual(checks.suggest(100, []), [])
        self.assertEqual(checks.settle(100, [Share(1, 100)], []), [])
