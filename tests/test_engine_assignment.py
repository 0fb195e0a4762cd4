"""Who collects from whom: capacity, balance and stability of the assignment, on random debtors."""

import doctest

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import assignment
from ..engine.assignment import Debtor, Held, Portfolio, Standing
from .examples import examples

SETTINGS = settings(max_examples=examples(80), deadline=None, database=None, print_blob=True)
COLLECTORS = (1, 2, 3, 4)

amounts = st.integers(-500, 100_000)
helds = st.dictionaries(st.sampled_from(COLLECTORS), st.builds(Held, st.integers(0, 9), st.integers(0, 50_000)))
debtor_lists = st.lists(amounts, max_size=25).map(
    lambda found: [Debtor(number, amount) for number, amount in enumerate(found, start=1)]
)


@st.composite
def worlds(draw):
    """Debtors as the assignment finds them, portfolios, and what the collectors hold: these debtors and others."""
    ids = range(1, draw(st.integers(0, 20)) + 1)
    portfolios = [
        Portfolio(
            number,
            frozenset(draw(st.sets(st.sampled_from(ids)))) if ids else frozenset(),
            tuple(sorted(draw(st.sets(st.sampled_from(COLLECTORS))))),
            draw(st.booleans()),
            draw(st.integers(0, 6)),
        )
        for number in range(1, draw(st.integers(0, 3)) + 1)
    ]
    numbers = [None, *(portfolio.id for portfolio in portfolios)]
    people = st.sampled_from((None, *COLLECTORS))
    standings = [Standing(i, draw(amounts), draw(people), draw(st.sampled_from(numbers))) for i in ids]
    return standings, portfolios, hold(standings, draw(helds))


def hold(standings, others):
    held = dict(others)
    for standing in standings:
        if standing.collector:
            count, amount = held.get(standing.collector, Held())
            held[standing.collector] = Held(count + 1, amount + max(standing.amount, 0))
    return held


def apply(standings, changes):
    changed = {change.debtor: change for change in changes}
    return [
        standing._replace(collector=changed[standing.id].collector, portfolio=changed[standing.id].portfolio)
        if standing.id in changed
        else standing
        for standing in standings
    ]


@tagged("post_install", "-at_install")
class TestEngineAssignment(BaseCase):
    def test_examples_of_the_documentation(self):
        self.assertFalse(doctest.testmod(assignment).failed)
        self.assertGreater(doctest.testmod(assignment).attempted, 3)

    @SETTINGS
    @given(debtor_lists, helds, st.booleans(), st.integers(0, 12))
    def test_random_debtors_are_spread_within_one_debtor_of_the_least_loaded(self, debtors, held, by_balance, capacity):
        found = assignment.spread(debtors, held, by_balance, capacity)
        self.assertEqual(set(found), {debtor.id for debtor in debtors})
        shares = {person: [d for d in debtors if found[d.id] == person] for person in held}
        count = {person: held[person].count + len(shares[person]) for person in held}
        weight = {person: held[person].amount + sum(max(d.amount, 0) for d in shares[person]) for person in held}
        for person in held:
            if capacity and shares[person]:
                self.assertLessEqual(count[person], capacity)
        with_room = [person for person in held if not capacity or count[person] < capacity]
        if None in found.values():
            self.assertFalse(with_room, "nobody waits while there is room")
        for person, other in ((person, other) for person in held for other in with_room if shares[person]):
            if by_balance:
                last = min(max(debtor.amount, 0) for debtor in shares[person])
                self.assertLessEqual(weight[person] - last, weight[other])
            else:
                self.assertLessEqual(count[person] - 1, count[other])

    @SETTINGS
    @given(debtor_lists, helds, st.booleans(), st.randoms())
    def test_random_orders_of_the_same_debtors_are_spread_the_same(self, debtors, held, by_balance, random):
        found = assignment.spread(debtors, held, by_balance)
        shuffled = random.sample(debtors, len(debtors))
        people = dict(random.sample(list(held.items()), len(held)))
        self.assertEqual(assignment.spread(shuffled, people, by_balance), found)

    @SETTINGS
    @given(worlds())
    def test_random_assignments_are_stable(self, world):
        standings, portfolios, held = world
        changes, without_room = assignment.assign(standings, portfolios, held)
        by_id = {portfolio.id: portfolio for portfolio in portfolios}
        for change in changes:
            before = standings[change.debtor - 1]
            own = by_id.get(before.portfolio)
            stays = own and before.id in own.matched and before.collector in own.collectors
            self.assertFalse(stays, "nobody changes hands without a reason")
            self.assertNotEqual((change.collector, change.portfolio), (before.collector, before.portfolio))
            self.assertEqual(change.kept, change.collector == before.collector)
            first = next((portfolio for portfolio in portfolios if before.id in portfolio.matched), None)
            self.assertEqual(change.portfolio, first and first.id)
            if change.collector:
                self.assertIn(change.collector, first.collectors)
        after = apply(standings, changes)
        for standing in after:
            if standing.collector is None:
                matched = [portfolio.id for portfolio in portfolios if standing.id in portfolio.matched]
                self.assertTrue(not matched or standing.id in without_room[matched[0]])
        self.assertEqual(
            [change for change in assignment.assign(after, portfolios, hold(after, {}))[0] if change.kept],
            [],
            "what is settled stays settled",
        )

    def test_a_debtor_without_room_keeps_the_collector_that_it_has(self):
        full = Portfolio(1, frozenset({1, 2}), (1,), capacity=1)
        changes, without_room = assignment.assign(
            [Standing(1, 100, 2, None), Standing(2, 50, None, None)], [full], {1: Held(1, 10), 2: Held(1, 100)}
        )
        self.assertEqual(without_room, {1: [1, 2]})
        self.assertEqual(changes, [assignment.Change(2, 1, None, True)])

    def test_a_debtor_that_meets_no_portfolio_any_more_has_no_collector(self):
        portfolio = Portfolio(1, frozenset(), (1,))
        changes, _without_room = assignment.assign(
            [Standing(1, 100, 1, 1), Standing(2, 50, 2, None)], [portfolio], {1: Held(1, 100), 2: Held(1, 50)}
        )
        self.assertEqual(changes, [assignment.Change(1, None, None, False)])
