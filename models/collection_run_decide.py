from datetime import date
from typing import NamedTuple

from odoo import _, api, models

from ..engine import dunning
from ..engine.keys import notice_key
from .collection_debtor_dunning import Occasion, speak
from .notice_states import PROPOSED, QUEUED, SKIPPED


class Ladder(NamedTuple):
    """A policy as a night needs it."""

    rungs: dunning.Rungs
    channels: dict
    requires_approval: bool


class CollectionRunDecide(models.AbstractModel):
    """Decides who must hear from a company on a day, and of what.

    *How to use.* ``run._decide(company, today, last_run)`` gives the rows that ``collection.notice._enqueue`` writes.

    *How it works.* One statement reads the ladders, one the open items with what was told before, and two the other
    currencies where some are owed; ``engine.dunning`` decides in memory, a debtor at a time.
    """

    _name = "collection.run.decide"
    _description = "Decision of a Night"

    def _decide(self, company, today, last_run):
        """Rows for ``collection.notice._enqueue`` of everyone who must hear from ``company`` on ``today``, and a remark
        for the person who reads the run."""
        self.ensure_one()
        ladders = self._get_ladders(company, today)
        positions, units = self.env["collection.debtor"]._get_positions(company, today)
        occasion = Occasion(company.id, self.id, today, units)
        frequent = self.env["collection.notice"]._get_frequent(company, today)
        notices, lines, without_levels = [], [], 0
        for position in positions:
            ladder = ladders.get(position.policy_id)
            if not ladder:
                without_levels += 1
                continue
            asked, _reasons = dunning.assess(position.items, units.tolerances)
            decision = dunning.decide(asked, ladder.rungs, last_run)
            if decision and position.debtor_id in frequent:
                reason = frequent[position.debtor_id]
                notices.append(self._prepare_too_many(occasion, position.debtor_id, decision, ladder, company, reason))
            elif decision:
                notice, spoken = self._prepare_notice(occasion, position.debtor_id, decision, ladder)
                notices.append(notice)
                lines += spoken
                for level_id in decision.skipped:
                    notices.append(self._prepare_missed(occasion, position.debtor_id, level_id, ladder))
        remark = ""
        if without_levels:
            remark = _("%(count)s debtors have no policy with levels: they hear nothing.", count=without_levels)
        return notices, lines, remark

    @api.model
    def _get_ladders(self, company, today):
        """``{policy id: Ladder}`` of every active policy that has levels, as they are on ``today``."""
        for name in ("collection.policy", "collection.level", "collection.level.channel"):
            self.env[name].flush_model()
        self.env.cr.execute(self.env["collection.level"]._query_ladders(company.currency_id.decimal_places))
        ladders = {}
        for policy_id, approval, channel, *level in self.env.cr.fetchall():
            if policy_id not in ladders:
                ladders[policy_id] = Ladder(dunning.Rungs([], today), {}, approval)
            ladders[policy_id].rungs.levels.append(dunning.Level(*level))
            ladders[policy_id].channels[level[0]] = channel
        return ladders

    @api.model
    def _prepare_notice(self, occasion, debtor_id, decision, ladder):
        """The row of a notice and those of its lines, in the order of ``_query_enqueue``."""
        level, items, _skipped = decision
        company_id, _run_id, today, units = occasion
        channel = ladder.channels[level.id]
        key = notice_key(company_id, debtor_id, "dunning", today, channel)
        spoken = speak(key, level, items, ladder.rungs, units, today)
        state = PROPOSED if ladder.requires_approval else QUEUED
        row = occasion.prepare_notice(key, debtor_id, level.id, channel, state, spoken=spoken)
        return row, spoken.rows

    @api.model
    def _prepare_too_many(self, occasion, debtor_id, decision, ladder, company, reason):
        """The row that says once in the days of the limit that a message would be one too many; as nothing was told, a
        later night tells it."""
        days = company.collection_notice_days
        first = date.fromordinal(occasion.today.toordinal() // days * days)
        return self._prepare_skipped(occasion, debtor_id, decision.level.id, ladder, "frequent", reason, first)

    @api.model
    def _prepare_missed(self, occasion, debtor_id, level_id, ladder):
        """The row that remembers a level whose day passed on a night without a run."""
        reason = _("No run took place on its day; the level due today was sent instead.")
        return self._prepare_skipped(occasion, debtor_id, level_id, ladder, "skipped", reason, occasion.today)

    @api.model
    def _prepare_skipped(self, occasion, debtor_id, level_id, ladder, what, reason, period):
        channel = ladder.channels[level_id]
        key = notice_key(occasion.company_id, debtor_id, f"{what}-{level_id}", period, channel)
        return occasion.prepare_notice(key, debtor_id, level_id, channel, SKIPPED, reason)
