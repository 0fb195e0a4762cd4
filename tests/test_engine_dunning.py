"""The ladder's rules against a slow reference that follows the sentences of the documentation one by one."""

import doctest
from collections import Counter, defaultdict
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import dunning, keys
from ..engine.dunning import Item, Level, Rungs
from ..models import array_literal
from .examples import examples

TODAY = date(2026, 3, 31)
SETTINGS = settings(max_examples=examples(60), deadline=None, database=None, print_blob=True)


# === Reference ===#


def reference_assess(items, tolerances):
    """{line: asked} and {line: reason}, one unit of credit at a time."""
    asked, reasons = {}, {}
    for currency in {item.currency_id for item in items}:
        mine = [item for item in items if item.currency_id == currency]
        tolerance = tolerances.get(currency, 0)
        # A covered credit is no money yet.
        purse = sum(max(-item.residual - max(-item.covered, 0), 0) for item in mine if item.residual < 0)
        for item in sorted((i for i in mine if i.residual >= 0), key=lambda i: (i.due, i.line_id)):
            open_part = item.residual - item.covered if item.covered > 0 else item.residual
            if item.blocked:
                reasons[item.line_id] = "blocked"
            elif open_part <= tolerance:
                reasons[item.line_id] = "covered" if item.covered > 0 else "tolerance"
            else:
                while purse and open_part:
                    purse -= 1
                    open_part -= 1
                if open_part <= tolerance:
                    reasons[item.line_id] = "credit"
                else:
                    asked[item.line_id] = open_part
    return asked, reasons


def reference_level(asked, levels, today):
    """The latest window that holds an item: the oldest item inside a window sets it."""
    held = [
        level
        for level in levels
        for ask in asked
        if ask.due + timedelta(days=level.day_from) <= today <= ask.due + timedelta(days=level.day_to)
    ]
    return max(held, key=lambda level: level.day_from, default=None)


def reference_decide(asked, levels, today, last_run):
    """(level id, lines, skipped) or None, day by day."""
    level = reference_level(asked, levels, today)
    if level is None:
        return None
    since = min(level.day_from, 1)
    worth = sum(a.company_residual for a in asked if a.due + timedelta(days=since) <= today)
    if level.minimum and worth < level.minimum:
        return None
    setters = [a for a in asked if level.day_from <= (today - a.due).days <= level.day_to]
    untold = [a for a in setters if level.id not in a.told]
    last = max((a.told[level.id] for a in setters if level.id in a.told), default=None)
    if not untold and not (level.recurrence and last + timedelta(days=level.recurrence) <= today):
        return None
    skipped = set()
    night = last_run + timedelta(days=1) if last_run else today
    while night < today:
        for lower in levels:
            if lower.day_from < level.day_from and any(
                (night - a.due).days == lower.day_from and lower.id not in a.told for a in setters
            ):
                skipped.add(lower.id)
        night += timedelta(days=1)
    return level.id, {a.line_id for a in asked}, skipped


# === Strategies ===#


@st.composite
def ladders(draw):
    """Windows that do not overlap, with gaps, in any order."""
    marks = sorted(draw(st.sets(st.integers(-10, 70), min_size=2, max_size=10)))
    pairs = list(zip(marks[::2], marks[1::2]))
    levels = [
        Level(
            number,
            first,
            last - draw(st.integers(0, 1)) * (last > first),
            draw(st.sampled_from([0, 0, 1, 7])),
            draw(st.sampled_from([0, 0, 50])),
        )
        for number, (first, last) in enumerate(pairs, 1)
    ]
    return draw(st.permutations(levels))


@st.composite
def open_items(draw):
    count = draw(st.integers(0, 7))
    return [
        Item(
            line_id,
            TODAY - timedelta(days=draw(st.integers(-12, 80))),
            draw(st.integers(1, 2)),
            draw(st.integers(-120, 120)),
            draw(st.integers(-240, 240)),
            draw(st.sampled_from([0, 0, 0, 20, 500])),
            draw(st.sampled_from([False, False, False, True])),
            draw(st.dictionaries(st.integers(1, 5), st.integers(0, 20).map(lambda d: TODAY - timedelta(days=d)))),
        )
        for line_id in draw(st.permutations(range(1, count + 1)))
    ]


TOLERANCES = st.dictionaries(st.integers(1, 2), st.integers(0, 30))
LAST_RUNS = st.none() | st.integers(1, 25).map(lambda days: TODAY - timedelta(days=days))


@tagged("post_install", "-at_install")
class TestEngineDunning(BaseCase):
    def test_the_examples_in_the_documentation_hold(self):
        for module in (dunning, keys, array_literal):
            result = doctest.testmod(module)
            self.assertTrue(result.attempted, module.__name__)
            self.assertFalse(result.failed, module.__name__)

    # === What may be asked for ===#

    def test_assess_equals_the_reference(self):
        @SETTINGS
        @given(open_items(), TOLERANCES)
        def check(items, tolerances):
            asked, reasons = dunning.assess(items, tolerances)
            self.assertEqual(
                ({ask.line_id: ask.residual for ask in asked}, reasons), reference_assess(items, tolerances)
            )
            keys_ = [(ask.due, ask.line_id) for ask in asked]
            self.assertEqual(keys_, sorted(keys_), "oldest first")

        check()

    def test_never_more_than_the_net_and_never_within_tolerance(self):
        @SETTINGS
        @given(open_items(), TOLERANCES)
        def check(items, tolerances):
            asked, reasons = dunning.assess(items, tolerances)
            sums = Counter()
            owed = {item.line_id: item.residual for item in items}
            for ask in asked:
                sums[ask.currency_id] += ask.residual
                self.assertGreater(ask.residual, tolerances.get(ask.currency_id, 0))
                self.assertLessEqual(ask.residual, owed[ask.line_id])
            for currency in (1, 2):
                net = max(0, sum(item.residual for item in items if item.currency_id == currency))
                self.assertLessEqual(sums[currency], net)
                if net <= tolerances.get(currency, 0):
                    self.assertFalse(sums[currency], "a net within tolerance hears nothing")
            debits = {item.line_id for item in items if item.residual >= 0}
            self.assertEqual({ask.line_id for ask in asked} ^ set(reasons), debits, "each debit is one or other")

        check()

    def test_without_cover_block_or_tolerance_the_net_is_asked_for(self):
        @SETTINGS
        @given(open_items())
        def check(items):
            items = [item._replace(covered=0, blocked=False) for item in items]
            sums, net = defaultdict(int), defaultdict(int)
            for ask in dunning.assess(items, {})[0]:
                sums[ask.currency_id] += ask.residual
            for item in items:
                net[item.currency_id] += item.residual
            for currency in net:
                self.assertEqual(sums[currency], max(0, net[currency]))

        check()

    def test_company_amounts_are_the_ledgers_or_their_share(self):
        @SETTINGS
        @given(open_items(), TOLERANCES)
        def check(items, tolerances):
            item_of = {item.line_id: item for item in items}
            for ask in dunning.assess(items, tolerances)[0]:
                item = item_of[ask.line_id]
                if ask.residual == item.residual:
                    self.assertEqual(ask, item)
                else:
                    exact = item.company_residual * ask.residual
                    self.assertLessEqual(abs(ask.company_residual * item.residual - exact) * 2, item.residual)

        check()

    def test_the_order_of_the_items_does_not_matter(self):
        @SETTINGS
        @given(open_items(), TOLERANCES, ladders(), LAST_RUNS, st.randoms())
        def check(items, tolerances, levels, last_run, random):
            before = dunning.assess(items, tolerances)
            decided = dunning.decide(before[0], Rungs(levels, TODAY), last_run)
            shuffled, ladder = list(items), list(levels)
            random.shuffle(shuffled)
            random.shuffle(ladder)
            after = dunning.assess(shuffled, tolerances)
            self.assertEqual(before, after)
            again = dunning.decide(after[0], Rungs(ladder, TODAY), last_run)
            self.assertEqual(decided and decided[:2], again and again[:2])
            self.assertEqual(decided and set(decided.skipped), again and set(again.skipped))

        check()

    # === The level ===#

    def test_decide_equals_the_reference(self):
        @settings(max_examples=examples(120), deadline=None, database=None, print_blob=True)
        @given(open_items(), ladders(), LAST_RUNS)
        def check(items, levels, last_run):
            asked = [item for item in sorted(items, key=dunning.OLDEST_FIRST) if item.residual > 0]
            decision = dunning.decide(asked, Rungs(levels, TODAY), last_run)
            found = decision and (
                decision.level.id,
                {item.line_id for item in decision.items},
                set(decision.skipped),
            )
            self.assertEqual(found, reference_decide(asked, levels, TODAY, last_run))
            if decision:
                self.assertEqual(len(decision.skipped), len(set(decision.skipped)))

        check()

    def test_what_was_told_today_is_not_told_again_today(self):
        @SETTINGS
        @given(open_items(), ladders(), LAST_RUNS)
        def check(items, levels, last_run):
            asked = [item for item in sorted(items, key=dunning.OLDEST_FIRST) if item.residual > 0]
            rungs = Rungs(levels, TODAY)
            decision = dunning.decide(asked, rungs, last_run)
            if not decision:
                return
            told = [
                item._replace(told={**item.told, level.id: TODAY}) if (level := rungs[item.due][1]) else item
                for item in decision.items
            ]
            self.assertIsNone(dunning.decide(told, rungs, TODAY - timedelta(days=1)))

        check()

    def test_night_after_night_each_level_once_and_recurrence_on_its_day(self):
        ladder = [Level(1, -2, -1), Level(2, 3, 14), Level(3, 15, 9999, recurrence=10)]
        due, told, heard = TODAY, {}, []
        for day in range(-5, 50):
            today = due + timedelta(days=day)
            asked, _reasons = dunning.assess([Item(1, due, 1, 100, 100, told=dict(told))], {})
            decision = dunning.decide(asked, Rungs(ladder, today), today - timedelta(days=1))
            if decision:
                heard.append((day, decision.level.id))
                told[decision.level.id] = today
                self.assertFalse(decision.skipped)
        self.assertEqual(heard, [(-2, 1), (3, 2), (15, 3), (25, 3), (35, 3), (45, 3)])

    def test_a_minimum_counts_what_is_overdue(self):
        ladder = [Level(1, 3, 30, minimum=1000)]
        overdue = Item(1, TODAY - timedelta(days=5), 1, 999, 999)
        ahead = Item(2, TODAY + timedelta(days=5), 1, 9999, 9999)
        one_day = Item(3, TODAY - timedelta(days=1), 1, 1, 1)
        self.assertIsNone(dunning.decide([overdue, ahead], Rungs(ladder, TODAY)))
        self.assertEqual(dunning.decide([overdue, one_day, ahead], Rungs(ladder, TODAY)).level.id, 1)

    # === Windows ===#

    def test_check_levels_equals_the_reference(self):
        @SETTINGS
        @given(st.lists(st.tuples(st.integers(-5, 15), st.integers(-5, 15)), max_size=5))
        def check(windows):
            levels = [Level(number, *window) for number, window in enumerate(windows, 1)]
            inverted = {level.id for level in levels if level.day_to < level.day_from}
            days = Counter(day for first, last in windows for day in range(first, last + 1))
            try:
                dunning.check_levels(levels)
            except ValueError as error:
                kind, *ids = error.args
                if kind == "inverted":
                    self.assertIn(ids[0], inverted)
                else:
                    one, two = (levels[id_ - 1] for id_ in ids)
                    self.assertTrue(max(one.day_from, two.day_from) <= min(one.day_to, two.day_to))
            else:
                self.assertFalse(inverted)
                self.assertLessEqual(max(days.values(), default=0), 1)

        check()
