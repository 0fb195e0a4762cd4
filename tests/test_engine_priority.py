import doctest

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ..engine import priority, risk
from ..engine.priority import Rule
from .examples import examples

SETTINGS = settings(max_examples=examples(200), deadline=None, database=None, print_blob=True)
AMOUNTS = st.decimals(-1000, 10**9, places=2)
RULE = st.builds(
    Rule,
    st.sampled_from(priority.KINDS),
    st.integers(0, 50),
    st.decimals("0.01", 10**6, places=2),
    st.integers(0, 200),
)
RULES = st.lists(RULE, max_size=8, unique_by=lambda rule: rule.kind)
FIGURES = st.fixed_dictionaries(dict.fromkeys(priority.KINDS, AMOUNTS))
THRESHOLDS = st.lists(st.integers(1, 200), min_size=3, max_size=3, unique=True).map(sorted)
SIGNS = st.fixed_dictionaries(
    {
        risk.DAYS_LATE: st.none() | st.decimals(0, 400, places=1),
        risk.OVERDUE_SHARE: st.integers(0, 100),
        **{kind: st.integers(0, 9) for kind in risk.EVENTS},
    }
)


@tagged("post_install", "-at_install")
class TestEnginePriority(BaseCase):
    """Properties of scores and classes."""

    def test_the_examples_in_the_documentation_hold(self):
        for module in (priority, risk):
            result = doctest.testmod(module)
            self.assertTrue(result.attempted)
            self.assertFalse(result.failed)

    @SETTINGS
    @given(RULES, FIGURES)
    def test_a_score_stays_within_the_maximums(self, rules, figures):
        score = priority.score(rules, figures)
        self.assertTrue(0 <= score <= sum(rule.maximum for rule in rules))
        if priority.is_idle(figures):
            self.assertEqual(score, 0)

    @SETTINGS
    @given(RULES, FIGURES)
    def test_the_explanation_adds_up_to_the_score_the_most_first(self, rules, figures):
        shares = [share.points for share in priority.explain(rules, figures)]
        self.assertEqual(sum(shares), priority.score(rules, figures))
        self.assertEqual(shares, sorted(shares, reverse=True))
        self.assertNotIn(0, shares)

    @SETTINGS
    @given(RULES, FIGURES, st.sampled_from(priority.KINDS), st.decimals(0, 10**6, places=2))
    def test_a_higher_figure_never_lowers_a_score(self, rules, figures, kind, more):
        higher = {**figures, kind: figures[kind] + more}
        self.assertLessEqual(priority.score(rules, figures), priority.score(rules, higher))

    @SETTINGS
    @given(RULE, AMOUNTS)
    def test_points_are_whole_units_and_each_unit_gives_as_much(self, rule, figure):
        uncapped = rule._replace(maximum=10**15)
        points = priority.points(uncapped, figure)
        self.assertEqual(points % rule.points if rule.points else points, 0)
        if figure >= 0:
            self.assertEqual(priority.points(uncapped, figure + rule.unit) - points, rule.points)

    @SETTINGS
    @given(SIGNS, THRESHOLDS, st.sampled_from([rule.kind for rule in risk.RULES]), st.integers(1, 50))
    def test_nothing_that_gets_worse_betters_a_class(self, figures, thresholds, kind, more):
        before = risk.classify(figures, thresholds)
        after = risk.classify({**figures, kind: (figures[kind] or 0) + more}, thresholds)
        if before:
            self.assertLessEqual(before, after)
        else:
            self.assertFalse(risk.has_history(figures))

    @SETTINGS
    @given(SIGNS, THRESHOLDS)
    def test_a_class_is_where_its_points_are(self, figures, thresholds):
        letter = risk.classify(figures, thresholds)
        reached = sum(share.points for share in risk.explain(figures))
        if letter:
            edges = [0, *thresholds, 10**9]
            place = risk.rank(letter)
            self.assertTrue(edges[place] <= reached < edges[place + 1])
