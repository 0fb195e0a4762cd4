from typing import NamedTuple

from odoo import _, api, models

from ..engine import dunning
from ..engine.keys import notice_key
from .collection_debtor_dunning import Units, speak
from .notice_states import PROPOSED, QUEUED, SKIPPED


class Ladder(NamedTuple):
    """A policy as a night needs it."""

    rungs: dunning.Rungs
    channels: dict
    requires_approval: bool


class Night(NamedTuple):
    """What all rows of a night have in common."""

    company_id: int
    run_id: int
    today: object
    units: Units

    def key(self, debtor_id, what, channel):
        return notice_key(self.company_id, debtor_id, what, self.today, channel)


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
        night = Night(company.id, self.id, today, units)
        notices, lines, without_levels = [], [], 0
        for position in positions:
            ladder = ladders.get(position.policy_id)
            if not ladder:
                without_levels += 1
                continue
            asked, _reasons = dunning.assess(position.items, units.tolerances)
            decision = dunning.decide(asked, ladder.rungs, last_run)
            if decision:
                notice, spoken = self._prepare_notice(night, position.debtor_id, decision, ladder)
                notices.append(notice)
                lines += spoken
                for level_id in decision.skipped:
                    notices.append(self._prepare_skipped(night, position.debtor_id, level_id, ladder))
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
    def _prepare_notice(self, night, debtor_id, decision, ladder):
        """The row of a notice and those of its lines, in the order of ``_query_enqueue``."""
        level, items, _skipped = decision
        company_id, run_id, today, units = night
        channel = ladder.channels[level.id]
        key = night.key(debtor_id, "dunning", channel)
        spoken = speak(key, level, items, ladder.rungs, units, today)
        state = PROPOSED if ladder.requires_approval else QUEUED
        row = (
            key,
            debtor_id,
            company_id,
            run_id,
            level.id,
            today,
            channel,
            state,
            None,
            spoken.total,
            spoken.overdue,
            spoken.days,
        )
        return row, spoken.rows

    @api.model
    def _prepare_skipped(self, night, debtor_id, level_id, ladder):
        """The row that remembers a level whose day passed on a night without a run."""
        channel = ladder.channels[level_id]
        reason = _("No run took place on its day; the level due today was sent instead.")
        return (
            night.key(debtor_id, f"skipped-{level_id}", channel),
            debtor_id,
            night.company_id,
            night.run_id,
            level_id,
            night.today,
            channel,
            SKIPPED,
            reason,
            0,
            0,
            0,
        )
