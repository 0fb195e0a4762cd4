from odoo import _, api, fields, models


class AccountPostdatedCheckSlip(models.Model):
    """The checks that went to the bank together.

    Where the company wants one bank movement per slip, an entry moves what the payments of its checks wait for to one
    line per currency, which is what the bank statement will show.
    """

    _name = "account.postdated.check.slip"
    _description = "Deposit Slip"
    _inherit = ["mail.thread"]
    _order = "date desc, id desc"
    _mail_post_access = "read"
    _check_company_auto = True

    name = fields.Char(required=True, readonly=True)
    company_id = fields.Many2one("res.company", required=True, readonly=True, index=True)
    journal_id = fields.Many2one("account.journal", required=True, readonly=True, ondelete="restrict")
    date = fields.Date(required=True, readonly=True)
    check_ids = fields.Many2many(
        "account.postdated.check",
        "account_postdated_check_slip_rel",
        "slip_id",
        "check_id",
        string="Checks",
        readonly=True,
    )
    check_count = fields.Integer(compute="_compute_totals", string="Checks Deposited")
    total = fields.Char(compute="_compute_totals", help="Of each currency apart.")
    move_id = fields.Many2one("account.move", string="Bank Movement", readonly=True, copy=False, ondelete="restrict")

    _sql_constraints = [
        ("name_company_unique", "UNIQUE(company_id, name)", "There is a deposit slip of that name already."),
    ]

    @api.depends("check_ids.amount", "check_ids.currency_id")
    @api.depends_context("lang")
    def _compute_totals(self):
        for slip in self:
            slip.check_count = len(slip.check_ids)
            slip.total = " + ".join(total["currency"].format(total["amount"]) for total in slip._get_totals())

    def _get_totals(self):
        """[{currency, count, amount}], the company's own currency first."""
        self.ensure_one()
        by_currency = self.check_ids.grouped("currency_id")
        ordered = sorted(by_currency, key=lambda currency: (currency != self.company_id.currency_id, currency.name))
        return [
            {
                "currency": currency,
                "count": len(by_currency[currency]),
                "amount": currency.round(sum(by_currency[currency].mapped("amount"))),
            }
            for currency in ordered
        ]

    # === Actions ===#

    def action_print(self):
        pdf = self.env["account.postdated.check.slip.report"]._render_pdf(self)
        name = self.name.replace("/", "-") if len(self) == 1 else _("Deposit slips")
        return self.env["collection.export"]._download(f"{name}.pdf", pdf)

    def action_open_checks(self):
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.account_postdated_check_action")
        return {**action, "domain": [("id", "in", self.check_ids.ids)], "context": {"create": False}}

    def action_open_move(self):
        return self.move_id.get_formview_action()

    # === Making ===#

    @api.model
    def _create_for(self, deposited, date):
        """A slip per journal for checks that were just deposited."""
        # sudo: nobody writes slips by hand; whoever deposits was asked for the right to
        deposited = deposited.sudo()
        slips = self.sudo()
        for journal, together in deposited.grouped("journal_id").items():
            company = journal.company_id
            slip = slips.create(
                {
                    "name": self._get_next_name(company, date),
                    "company_id": company.id,
                    "journal_id": journal.id,
                    "date": date,
                    "check_ids": [fields.Command.set(together.ids)],
                }
            )
            together.slip_id = slip
            if company.collection_check_slip_entry and len(together) > 1:
                slip._book()
            slips += slip
        return slips.with_env(self.env)

    @api.model
    def _get_next_name(self, company, date):
        sequences = self.env["ir.sequence"].sudo()
        own = sequences.search([("code", "=", self._name), ("company_id", "=", company.id)], limit=1)
        if not own:
            own = sequences.create(
                {
                    "name": _("Deposit slips of %(company)s", company=company.name),
                    "code": self._name,
                    "company_id": company.id,
                    "prefix": "DEP/%(range_year)s/",
                    "padding": 4,
                    "use_date_range": True,
                }
            )
        return own.next_by_id(sequence_date=date)

    def _book(self):
        """One line per currency for the bank statement, in place of one per check."""
        self.ensure_one()
        waiting = self.check_ids._get_outstanding_lines().filtered(lambda line: line.account_id.reconcile)
        if not waiting:
            return
        groups = waiting.grouped(lambda line: (line.account_id, line.currency_id))
        lines = [self._prepare_total_line(*group, of_group) for group, of_group in groups.items()]
        lines += [self._prepare_check_line(line) for line in waiting]
        self.move_id = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": self.journal_id.id,
                "company_id": self.company_id.id,
                "date": self.date,
                "ref": self.name,
                "postdated_check_slip_id": self.id,
                "line_ids": [fields.Command.create(values) for values in lines],
            }
        )
        self.move_id._post(soft=False)
        credits = self.move_id.line_ids.filtered(lambda line: line.balance < 0)
        self.env["account.move.line"]._reconcile_plan([line + credit for line, credit in zip(waiting, credits)])

    def _prepare_total_line(self, account, currency, lines):
        return {
            "name": self.name,
            "account_id": account.id,
            "currency_id": currency.id,
            "amount_currency": sum(lines.mapped("amount_currency")),
            "balance": sum(lines.mapped("balance")),
        }

    def _prepare_check_line(self, line):
        return {
            "name": line.name,
            "account_id": line.account_id.id,
            "currency_id": line.currency_id.id,
            "partner_id": line.partner_id.id,
            "amount_currency": -line.amount_currency,
            "balance": -line.balance,
        }

    def _get_total_lines(self):
        """What the bank statement is to be matched with."""
        return self.move_id.line_ids.filtered(lambda line: line.balance > 0)

    # === The bank ===#

    def _release(self, reversals):
        """Checks of these slips were taken back: where the bank has not shown the slip yet, it will show less.

        :param reversals: ``{slip: journal items that take the money of checks back}``
        """
        pairs = []
        for slip, lines in reversals.items():
            for line in lines:
                total = slip._get_total_lines().filtered(
                    lambda total, line=line: (
                        not total.reconciled
                        and (total.account_id, total.currency_id) == (line.account_id, line.currency_id)
                    )
                )
                if total:
                    pairs.append((total[:1], line))
        for total, line in pairs:
            self.env["account.move.line"]._reconcile_plan([total + line])
