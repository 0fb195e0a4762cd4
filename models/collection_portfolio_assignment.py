import logging
from functools import cache, partial

from odoo import _, api, models
from odoo.tools import SQL

from ..engine import assignment
from .collection_debtor_assignment import Handover
from .responsible import ask_responsible

_logger = logging.getLogger(__name__)

PROBLEM_ACTIVITY = "mail.mail_activity_data_warning"


class CollectionPortfolio(models.Model):
    """Hands the debtors of a company to the collectors of its portfolios.

    *How to use.* ``_assign_company(company)``, every night and on demand.

    *How it works.* One statement reads the debtors that have something open and an active customer, one per portfolio
    those that meet its conditions; ``engine.assignment`` decides in memory; a constant number of statements writes
    collectors and reasons. Debtors that owe nothing stay as they are: their next invoice finds the person
    who knows them. So do debtors that are never dunned, no less collected by a person, once they have something open.
    """

    _inherit = "collection.portfolio"

    @api.model
    def _assign_company(self, company):
        """:return: how many debtors changed hands"""
        in_company = self.with_company(company).with_context(lang=company._get_collection_lang())
        portfolios = in_company.search([("company_id", "=", company.id)])
        standings, held = self._get_standings(company)
        if not portfolios and not any(standing.portfolio for standing in standings):
            return 0
        matched, problems = portfolios._match(standings)
        rules = [portfolio._as_engine(matched[portfolio]) for portfolio in portfolios]
        changes, without_room = assignment.assign(standings, rules, held)
        in_company.env["collection.debtor"]._hand_over(
            portfolios._prepare_handovers(changes, standings, rules), company
        )
        for portfolio in portfolios:
            waiting = len(without_room.get(portfolio.id, ()))
            portfolio._tell_problem(problems.get(portfolio) or portfolio._get_room_problem(waiting))
        changed = sum(not change.kept for change in changes)
        _logger.info("Portfolios of %s: %s debtors changed hands", company.name, changed)
        return changed

    @api.model
    def _get_standings(self, company):
        """The debtors that may be assigned, and ``{collector id: Held}`` of all, locked ones included."""
        self.env["collection.debtor"].flush_model()
        self.env["res.partner"].flush_model(["active"])
        self.env.cr.execute(self._query_standings(company))
        standings, held = [], {}
        for debtor_id, amount, collector, portfolio, locked in self.env.cr.fetchall():
            if not locked:
                standings.append(assignment.Standing(debtor_id, amount, collector, portfolio))
            if collector:
                count, total = held.get(collector, assignment.Held())
                held[collector] = assignment.Held(count + 1, total + max(amount, 0))
        return standings, held

    @api.model
    def _query_standings(self, company):
        """Rows (debtor, total due in the currency's smallest unit, collector, portfolio, locked) of the debtors of
        ``company`` that have something open and an active customer. One scan of the debtors."""
        return SQL(
            """SELECT debtor.id, ROUND(debtor.total_due * %(unit)s)::bigint, debtor.collector_id, debtor.portfolio_id,
                      COALESCE(debtor.collector_locked, FALSE) AND debtor.collector_id IS NOT NULL
                 FROM collection_debtor debtor
                 JOIN res_partner partner ON partner.id = debtor.partner_id
                WHERE debtor.company_id = %(company)s AND partner.active
                  AND (debtor.not_due > 0 OR debtor.overdue > 0)
                ORDER BY debtor.id""",
            company=company.id,
            unit=10**company.currency_id.decimal_places,
        )

    def _match(self, standings):
        """``{portfolio: ids of the debtors that meet its conditions}`` and ``{portfolio: what is wrong with them}``.
        The debtors of a portfolio that cannot be asked stay where they are."""
        Debtor = self.env["collection.debtor"].sudo()
        matched, problems = {}, {}
        for portfolio in self:
            if problem := portfolio._get_domain_problem():
                problems[portfolio] = problem
                matched[portfolio] = frozenset(
                    standing.id for standing in standings if standing.portfolio == portfolio.id
                )
            else:
                matched[portfolio] = frozenset(Debtor.search(portfolio._get_debtor_domain(), order="id").ids)
        return matched, problems

    def _as_engine(self, matched):
        self.ensure_one()
        return assignment.Portfolio(
            self.id, matched, tuple(sorted(self.collector_ids.ids)), self.spread_by == "balance", self.capacity
        )

    @api.model
    def _prepare_handovers(self, changes, standings, rules):
        """Rows for ``collection.debtor._hand_over``, each with its reason in the company's language."""
        standing_of = {standing.id: standing for standing in standings}
        matched = {rule.id: rule.matched for rule in rules}
        ids = {change.portfolio for change in changes} | {standing_of[change.debtor].portfolio for change in changes}
        names = {portfolio.id: portfolio.name for portfolio in self.browse(ids - {None})}
        # Translated once for each kind of change.
        get_reason = cache(partial(self._get_reason, names))

        def handover(change):
            before = standing_of[change.debtor]
            reason = get_reason(
                before.portfolio,
                change.portfolio,
                still_meets=change.debtor in matched.get(before.portfolio, ()),
                had_collector=bool(before.collector),
                has_collector=bool(change.collector),
            )
            return Handover(change.debtor, before.collector, change.collector, change.portfolio, False, reason)

        return [handover(change) for change in changes]

    @api.model
    def _get_reason(self, names, old_id, new_id, *, still_meets, had_collector, has_collector):
        """Why a debtor changes, in one sentence.

        :param still_meets: whether it meets the conditions of its old portfolio
        """
        new, old = names.get(new_id), names.get(old_id)
        if not new:
            return _("It no longer meets the conditions of portfolio “%(old)s”, nor those of another.", old=old)
        if not has_collector:
            return _("No collector of portfolio “%(portfolio)s” has room.", portfolio=new)
        if new_id == old_id and had_collector:
            return _("Its collector left portfolio “%(portfolio)s”.", portfolio=new)
        if old and new_id != old_id and not still_meets:
            return _(
                "It no longer meets the conditions of portfolio “%(old)s” and meets those of “%(new)s”.",
                old=old,
                new=new,
            )
        return _("It meets the conditions of portfolio “%(portfolio)s”.", portfolio=new)

    def _get_room_problem(self, count):
        """What to say of debtors that found no room, or None."""
        self.ensure_one()
        if not count:
            return None
        if not self.collector_ids:
            return _("%(count)s debtors of “%(portfolio)s” find no collector there.", count=count, portfolio=self.name)
        return _("%(count)s debtors of “%(portfolio)s” find no room.", count=count, portfolio=self.name)

    def _tell_problem(self, problem):
        """Keep one activity of the company's responsible about this portfolio, or none where there is no problem."""
        self.ensure_one()
        known = self.activity_search([PROBLEM_ACTIVITY])
        if known and problem:
            known.summary = problem
        elif known:
            known.unlink()
        elif problem:
            ask_responsible(self, PROBLEM_ACTIVITY, problem)
