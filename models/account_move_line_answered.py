from collections import defaultdict

from odoo import _, api, fields, models
from odoo.tools.misc import format_date

from .account_move import VIEWERS


class AccountMoveLine(models.Model):
    """What answers for an open item already, told beside it: checks in hand, promises, disputes."""

    _inherit = "account.move.line"

    collection_answered = fields.Char(
        string="Answered By",
        compute="_compute_collection_answered",
        groups=VIEWERS,
        help="Checks in hand, promises and disputes, with what each of them answers for.",
    )

    @api.depends_context("lang", "uid")
    def _compute_collection_answered(self):
        """A constant number of statements for each company, whatever the number of items."""
        texts = defaultdict(list)
        for company, all_items in self.grouped("company_id").items():
            items = all_items._filter_of_seen_debtors(company)
            if items.ids:
                items._add_answers(company, texts)
        for line in self:
            line.collection_answered = "; ".join(texts[line.id])

    def _filter_of_seen_debtors(self, company):
        """Those of debtors that this person sees: the statements below ask no rule, and who collects reads all of the
        ledger."""
        debtors = self.env["collection.debtor"].search(
            [("partner_id", "in", self.partner_id.commercial_partner_id.ids), ("company_id", "=", company.id)]
        )
        return self.filtered(lambda line: line.partner_id.commercial_partner_id in debtors.partner_id)

    def _add_answers(self, company, texts):
        for item_id, covers in self.env["account.postdated.check.line"]._get_covers(self.ids).items():
            currency = self.browse(item_id).currency_id
            texts[item_id] += [
                _(
                    "%(check)s, deposit on %(date)s: %(amount)s",
                    check=cover.check.with_context(lang=self.env.lang).display_name,
                    date=format_date(self.env, cover.deposit_date),
                    amount=currency.format(cover.amount),
                )
                for cover in covers
            ]
        for item_id, amount, date in self.env["collection.promise"]._get_promised(self, company):
            texts[item_id].append(
                _(
                    "Promised for %(date)s: %(amount)s",
                    date=format_date(self.env, date),
                    amount=self.browse(item_id).currency_id.format(amount),
                )
            )
        for item_id, amount in self.env["collection.dispute"]._get_disputed_items(self, company):
            texts[item_id].append(_("In dispute: %s", self.browse(item_id).currency_id.format(amount)))
