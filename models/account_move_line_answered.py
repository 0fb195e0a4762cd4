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

    @api.depends_context("lang")
    def _compute_collection_answered(self):
        """A constant number of statements for each company, whatever the number of items."""
        texts = defaultdict(list)
        for company, items in self.grouped("company_id").items():
            if company and items.ids:
                items._add_answers(company, texts)
        for line in self:
            line.collection_answered = "; ".join(texts[line.id])

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
