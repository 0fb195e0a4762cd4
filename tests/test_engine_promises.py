import doctest
from datetime import date, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import promises
from ..engine.promises import Promise, Receipt
from .examples import examples

DAY = date(2026, 5, 1)
SETTINGS = settings(max_examples=examples(200), deadline=None, database=None, print_blob=True)
DOCUMENTS = st.frozensets(st.integers(1, 3), max_size=2)
PROMISES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 5000), st.booleans(), DOCUMENTS), max_size=7
).map(
    lambda rows: [
        Promise(number, DAY + timedelta(days=made), DAY + timedelta(days=made + wait), amount, judged, documents)
        for number, (made, wait, amount, judged, documents) in enumerate(rows)
    ]
)
# The parts of a receipt share its id.
RECEIPTS = st.lists(
    st.tuples(st.integers(0, 4), st.integers(-5, 70), st.integers(1, 8000), st.integers(0, 3)), max_size=7
).map(
    lambda rows: [
        Receipt(number, DAY + timedelta(days=days), amount, document) for number, days, amount, document in rows
    ]
)
GRACE = st.integers(0, 5)


@tagged("post_install", "-at_install")
class TestEnginePromises(BaseCase):
    """Properties of what promises are paid."""

    def test_the_examples_in_the_documentation_hold(self):
        result = doctest.testmod(promises)
        self.assertTrue(result.attempted)
        self.assertFalse(result.failed)

    @SETTINGS
    @given(PROMISES, RECEIPTS, GRACE)
    def test_what_promises_were_paid_never_exceeds_the_receipts(self, made, receipts, grace):
        paid = promises.assign(made, receipts, grace)
        self.assertEqual(set(paid), {promise.id for promise in made})
        self.assertLessEqual(sum(paid.values()), sum(receipt.amount for receipt in receipts))
        for promise in made:
            self.assertTrue(0 <= paid[promise.id] <= promise.amount)

    @SETTINGS
    @given(PROMISES, RECEIPTS, GRACE, st.dates(DAY, DAY + timedelta(days=90)), st.dates(DAY, DAY + timedelta(days=90)))
    def test_no_receipt_is_counted_twice(self, made, receipts, grace, first, last):
        """Whatever the days: promises that could be paid in a span alone were paid by the receipts of that span."""
        paid = promises.assign(made, receipts, grace)
        inside = [promise for promise in made if first <= promise.made and promises.deadline(promise, grace) <= last]
        money = sum(receipt.amount for receipt in receipts if first <= receipt.date <= last)
        self.assertLessEqual(sum(paid[promise.id] for promise in inside), money)

    @SETTINGS
    @given(PROMISES, RECEIPTS, GRACE, st.integers(1, 3))
    def test_money_of_an_invoice_is_none_of_promises_of_others(self, made, receipts, grace, document):
        """What paid an invoice goes to the promises that name it, to those that name none and to judged ones."""
        others = [
            promise
            for promise in made
            if promise.documents and document not in promise.documents and not promise.judged
        ]
        here = [receipt for receipt in receipts if receipt.document == document]
        self.assertFalse(any(promises.assign(others, here, grace).values()))

    @SETTINGS
    @given(PROMISES, RECEIPTS, GRACE, st.integers(0, 999))
    def test_the_order_of_the_input_changes_nothing(self, made, receipts, grace, seed):
        random = Random(seed)
        shuffled = random.sample(made, len(made)), random.sample(receipts, len(receipts))
        self.assertEqual(promises.assign(*shuffled, grace), promises.assign(made, receipts, grace))

    @SETTINGS
    @given(PROMISES, RECEIPTS, GRACE)
    def test_judging_again_gives_judged_promises_what_they_had(self, made, receipts, grace):
        made = [promise._replace(judged=False) for promise in made]
        paid = promises.assign(made, receipts, grace)
        again = [promise._replace(amount=paid[promise.id], judged=True) for promise in made]
        self.assertEqual(promises.assign(again, receipts, grace), paid)

    @SETTINGS
    @given(PROMISES, RECEIPTS, GRACE, st.integers(0, 100), st.integers(0, 1))
    def test_a_verdict_fits_what_was_paid(self, made, receipts, grace, days, owed):
        today = DAY + timedelta(days=days)
        paid = promises.assign(made, receipts, grace)
        for promise in made:
            verdict = promises.judge(promise, paid[promise.id], owed, today, grace)
            late = today > promises.deadline(promise, grace)
            if verdict == promises.OPEN:
                self.assertFalse(late or not owed)
            elif verdict == promises.BROKEN:
                self.assertTrue(late and owed and not paid[promise.id])
            elif verdict == promises.PARTLY:
                self.assertTrue(late and owed and 0 < paid[promise.id] < promise.amount)
            elif verdict == promises.CANCELLED:
                self.assertFalse(owed or paid[promise.id])

    @SETTINGS
    @given(st.integers(1, 10**9), st.integers(1, 60), st.dates(DAY, DAY + timedelta(days=900)))
    def test_instalments_add_up_to_the_cent(self, total, count, first):
        for every in promises.STEPS:
            if total < count:
                with self.assertRaises(ValueError):
                    promises.instalments(total, count, first, every)
                continue
            rows = promises.instalments(total, count, first, every)
            self.assertEqual(len(rows), count)
            self.assertEqual(sum(amount for _day, amount in rows), total)
            self.assertEqual(rows[0][0], first)
            self.assertEqual([day for day, _amount in rows], sorted({day for day, _amount in rows}))
            self.assertLessEqual(max(rows)[1] - min(amount for _day, amount in rows), 1)
