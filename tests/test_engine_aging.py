import doctest

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import BaseCase

from ..engine import aging
from ..report import statement_pdf

edges_strategy = st.lists(st.integers(1, 400), min_size=1, max_size=6, unique=True).map(sorted)


class TestEngineAging(BaseCase):
    def test_doctests(self):
        for module in (aging, statement_pdf):
            result = doctest.testmod(module)
            self.assertGreater(result.attempted, 0)
            self.assertEqual(result.failed, 0, module.__name__)

    def test_thirty_days_late_is_1_30(self):
        labels = aging.bucket_labels()
        self.assertEqual(labels[aging.bucket_index(30)], "1-30")
        self.assertEqual(labels[aging.bucket_index(31)], "31-60")
        self.assertEqual(labels[aging.bucket_index(90)], "61-90")
        self.assertEqual(labels[aging.bucket_index(91)], "90+")

    def test_due_today_is_not_due(self):
        self.assertEqual(aging.bucket_index(0), 0)
        self.assertEqual(aging.bucket_index(-7), 0)
        self.assertEqual(aging.bucket_index(1), 1)

    @given(edges_strategy, st.integers(-500, 1000))
    def test_a_bucket_holds_the_days_its_label_says(self, edges, days):
        index = aging.bucket_index(days, edges)
        bounds = [-1000, 0, *edges, 2000]
        self.assertLess(bounds[index], days)
        self.assertLessEqual(days, bounds[index + 1])
        self.assertEqual(len(aging.bucket_labels(edges)), len(edges) + 2)

    @given(edges_strategy, st.lists(st.tuples(st.integers(-90, 900), st.integers(1, 10**6))))
    def test_buckets_lose_nothing(self, edges, items):
        totals = aging.bucket_totals(items, edges)
        self.assertEqual(sum(totals), sum(amount for _days, amount in items))

    def test_edges_are_checked(self):
        aging.check_edges((7, 14))
        for edges in ((), (30, 20), (30, 30), (0, 30), (-1, 30), (30.5, 60), (True, 30)):
            with self.assertRaises(ValueError, msg=edges):
                aging.check_edges(edges)
