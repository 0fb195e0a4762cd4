from collections import defaultdict

from odoo import _, api, fields, models
from odoo.exceptions import UserError

from ..engine import cells, checks, spreadsheet
from .check_columns import COLUMNS, ORDER, ParsedCheck


class AccountPostdatedCheckImport(models.TransientModel):
    """Registers the checks of a spreadsheet, or of rows pasted from one, once a person has seen what it would do.

    How it works: customers, banks, journals and checks that are registered already are found for all rows at once, with
    a constant number of queries.
    """

    _name = "account.postdated.check.import"
    _inherit = ["collection.import.party"]
    _description = "Import Checks"

    pasted = fields.Text(string="Or Rows Pasted from a Spreadsheet")
    suggest = fields.Boolean(string="Suggest the invoices", default=True)
    receive = fields.Boolean(string="Receive at once")
    create_banks = fields.Boolean(string="Create the banks that are missing")
    missing_banks = fields.Char(readonly=True)
    line_ids = fields.One2many("account.postdated.check.import.line", "wizard_id", string="Preview", readonly=True)

    # === Actions ===#

    def action_other_file(self):
        self.write({"pasted": False, "missing_banks": False, "create_banks": False})
        return super().action_other_file()

    def action_import(self):
        good = self._take_good()
        banks = self._create_missing_banks(good)
        registered = self.env["account.postdated.check"].create([line._prepare_check(banks) for line in good])
        if self.suggest:
            registered.action_suggest()
        if self.receive:
            registered.action_receive()
        # sudo: nobody but the preview writes rows; what was imported cannot be imported again by a second click
        self.sudo().line_ids.unlink()
        action = self.env["ir.actions.act_window"]._for_xml_id("account_collection.account_postdated_check_action")
        return {
            **action,
            "name": _("Imported Checks"),
            "display_name": _("Imported Checks"),
            "domain": [("id", "in", registered.ids)],
            "context": {"create": False},
        }

    def _create_missing_banks(self, lines):
        """``{folded name: bank}`` of those that the file names and nobody knows yet."""
        names = {}
        for line in lines.filtered(lambda line: not line.bank_id):
            names.setdefault(cells.fold(line.bank), line.bank)
        # sudo: who registers checks may name the bank that stands on one
        banks = self.env["res.bank"].sudo().create([{"name": name} for name in names.values()])
        return dict(zip(names, banks.with_env(self.env)))

    # === The file ===#

    def _get_action_id(self):
        return "account_collection.account_postdated_check_import_action"

    @api.model
    def _get_columns(self):
        return COLUMNS

    def _read_file(self):
        if self.file or not (self.pasted or "").strip():
            return super()._read_file()
        rows = self.pasted.strip("\r\n")
        try:
            return spreadsheet.read(rows.encode(), COLUMNS)
        except spreadsheet.SpreadsheetError as error:
            if error.code != spreadsheet.NO_HEADER:
                raise UserError(self._get_file_fault(error)) from None
        # Rows alone, in the order of the empty file.
        headers = self._get_headers()
        table = self._read_table(("\t".join(headers[name] for name in ORDER) + "\n" + rows).encode())
        return table._replace(rows=[row._replace(number=row.number - 1) for row in table.rows])

    def _get_name(self):
        return self.file_name or (_("What you pasted") if self.pasted else super()._get_name())

    @api.model
    def _get_template_name(self):
        return _("checks_import.xlsx")

    def _get_no_rows_text(self):
        return _("%(file)s has headers and no rows: write one row per check.", file=self._get_name())

    @api.model
    def _get_headers(self):
        return {
            "number": _("Check"),
            "bank": _("Bank"),
            "account": _("Account"),
            "customer": _("Customer"),
            "drawer": _("Drawer"),
            "amount": _("Amount"),
            "currency": _("Currency"),
            "received": _("Received"),
            "face": _("Date of the Check"),
            "deposit": _("Deposit On"),
            "journal": _("Deposit In"),
            "notes": _("Notes"),
        }

    @api.model
    def _get_example(self):
        today = fields.Date.context_today(self)
        return {
            "number": "0001234",
            "bank": "BBVA",
            "account": "012180001234567897",
            "customer": _("Name, reference or tax ID"),
            "drawer": "",
            "amount": 1000.5,
            "currency": self.env.company.currency_id.name,
            "received": today,
            "face": today,
            "deposit": fields.Date.add(today, days=30),
            "journal": "",
            "notes": "",
        }

    @api.model
    def _get_number_formats(self):
        return {**dict.fromkeys(("received", "face", "deposit"), "dd/mm/yyyy"), "amount": "#,##0.00"}

    # === Rows ===#

    def _parse_rows(self, rows):
        parsed = [self._parse(row) for row in rows]
        self._match_customers(parsed)
        self._match_banks(parsed)
        self._match_currencies(parsed)
        self._match_journals(parsed)
        self._find_twins(parsed)
        return parsed

    def _parse(self, row):
        values = {name: cells.as_text(row.values.get(name)) for name in ORDER}
        paper = self.env["account.postdated.check"]._clean_paper(
            {"number": values["number"], "account_number": values["account"]}
        )
        parsed = ParsedCheck(
            number=row.number,
            paper=paper["number"],
            bank=values["bank"],
            account=paper["account_number"],
            customer=values["customer"],
            drawer=values["drawer"],
            currency_name=values["currency"],
            journal_name=values["journal"],
            notes=values["notes"],
        )
        for text, fault in (
            (parsed.paper, _("Write the number of the check.")),
            (parsed.bank, _("Write the bank of the check.")),
            (parsed.customer, _("Write the customer.")),
        ):
            if not text:
                parsed.faults.append(fault)
        self._parse_amount(parsed, row.values.get("amount"))
        self._parse_dates(parsed, row.values)
        return parsed

    def _parse_amount(self, parsed, value):
        try:
            amount = cells.as_amount(value)
        except cells.CellError as error:
            parsed.faults.append(_("“%(text)s” is no amount: write it as 1234.50, without a sign.", text=error.text))
            return
        if not amount or amount < 0:
            parsed.faults.append(_("Write an amount above zero."))
        else:
            parsed.amount = float(amount)

    def _parse_dates(self, parsed, values):
        try:
            days = {name: self._parse_day(values.get(name))[0] for name in ("received", "face", "deposit")}
        except cells.CellError as error:
            parsed.faults.append(self._get_cell_fault(error))
            return
        today = self.env.company._get_collection_today()
        parsed.received = days["received"] or today
        parsed.face = days["face"] or (min(parsed.received, days["deposit"]) if days["deposit"] else parsed.received)
        parsed.deposit = days["deposit"]
        if not parsed.deposit:
            parsed.faults.append(_("Write the day on which it is to be deposited."))
        elif parsed.deposit < parsed.received:
            parsed.faults.append(_("It cannot be deposited before it is received."))
        elif parsed.deposit < parsed.face:
            parsed.faults.append(_("It cannot be deposited before its own date."))

    # === Who, where, in what ===#

    def _match_customers(self, rows):  # pylint: disable=missing-return
        super()._match_customers(rows)
        self._refuse_foreign(rows)

    def _refuse_foreign(self, rows):
        """A collector registers checks of the own debtors alone."""
        user = self.env.user
        if not user.has_group("account_collection.group_collection_collector") or user.has_group(
            "account_collection.group_collection_manager"
        ):
            return
        debtors = self.env["collection.debtor"].search(
            [("collector_id.collection_covered", "=", True), ("company_id", "=", self.env.company.id)]
        )
        own = set(debtors.partner_id.ids)
        for row in rows:
            if row.partner and row.partner.id not in own:
                row.faults.append(
                    _("%(customer)s is not among your debtors: ask for it first.", customer=row.partner.display_name)
                )

    def _match_banks(self, rows):
        banks = {}
        for bank in self.env["res.bank"].search([], order="id desc"):
            banks[cells.fold(bank.name)] = bank
        for bank in self.env["res.bank"].search([("bic", "!=", False)], order="id desc"):
            banks.setdefault(cells.fold(bank.bic), bank)
        missing = {}
        for row in rows:
            row.bank_record = banks.get(cells.fold(row.bank))
            if row.bank and not row.bank_record:
                missing.setdefault(cells.fold(row.bank), row.bank)
                if not self.create_banks:
                    row.faults.append(
                        _("There is no bank “%(bank)s”: correct it, or have the missing banks created.", bank=row.bank)
                    )
        self.missing_banks = ", ".join(missing.values())

    def _match_journals(self, rows):
        company = self.env.company
        journals = {}
        for journal in self.env["account.journal"].search([("type", "=", "bank"), ("company_id", "=", company.id)]):
            for text in (journal.code, journal.name):
                journals[cells.fold(text)] = journal
        for row in rows:
            row.journal = journals.get(cells.fold(row.journal_name))
            if row.journal_name and not row.journal:
                row.faults.append(
                    _("%(company)s has no bank journal “%(journal)s”.", company=company.name, journal=row.journal_name)
                )

    def _find_twins(self, rows):
        """One paper, one record: neither twice in the file nor registered already."""
        rows_of = defaultdict(list)
        for row in rows:
            if row.paper and row.bank:
                rows_of[(row.bank_record or cells.fold(row.bank)), row.account, row.paper].append(row)
        # sudo: a check that another collector registered is the same paper
        registered = (
            self.env["account.postdated.check"]
            .sudo()
            .search(
                [
                    ("company_id", "=", self.env.company.id),
                    ("number", "in", [row.paper for row in rows]),
                    ("state", "!=", checks.CANCELLED),
                ]
            )
        )
        twins = {(check.bank_id, check.account_number or "", check.number): check for check in registered}
        for key, same in rows_of.items():
            for row in same:
                if len(same) > 1:
                    others = ", ".join(str(other.number) for other in same)
                    row.faults.append(_("This check stands in rows %(rows)s: keep one of them.", rows=others))
                if twin := twins.get(key):
                    row.faults.append(
                        _(
                            "%(check)s of this account is registered already, for %(amount)s: it is %(state)s.",
                            check=twin.display_name,
                            amount=twin.currency_id.format(twin.amount),
                            state=twin._get_state_label(),
                        )
                    )

    def _prepare_line(self, row):
        return {
            **super()._prepare_line(row),
            "paper": row.paper,
            "bank": row.bank,
            "bank_id": row.bank_record and row.bank_record.id,
            "account_number": row.account,
            "customer": row.customer,
            "partner_id": row.partner and row.partner.id,
            "drawer": row.drawer,
            "amount": row.amount,
            "currency_id": row.currency and row.currency.id,
            "receipt_date": row.received,
            "face_date": row.face,
            "deposit_date": row.deposit,
            "journal_id": row.journal and row.journal.id,
            "notes": row.notes,
        }


class AccountPostdatedCheckImportLine(models.TransientModel):
    _name = "account.postdated.check.import.line"
    _inherit = ["collection.import.line"]
    _description = "Check to Import"

    wizard_id = fields.Many2one("account.postdated.check.import", required=True, ondelete="cascade", index=True)
    paper = fields.Char(string="Check")
    bank = fields.Char(string="Bank in the File")
    bank_id = fields.Many2one("res.bank", ondelete="cascade")
    account_number = fields.Char(string="Account or CLABE")
    customer = fields.Char(string="Customer in the File")
    partner_id = fields.Many2one("res.partner", string="Customer", ondelete="cascade")
    drawer = fields.Char()
    amount = fields.Monetary()
    currency_id = fields.Many2one("res.currency")
    receipt_date = fields.Date(string="Received On")
    face_date = fields.Date(string="Date of the Check")
    deposit_date = fields.Date(string="Deposit On")
    journal_id = fields.Many2one("account.journal", string="Deposit In", ondelete="cascade")
    notes = fields.Char()

    def _prepare_check(self, banks):
        """:param banks: ``{folded name: bank}`` of those that were created for the file"""
        self.ensure_one()
        values = {
            "number": self.paper,
            "bank_id": (self.bank_id or banks[cells.fold(self.bank)]).id,
            "company_id": self.env.company.id,
        }
        for name in ("partner_id", "currency_id", "journal_id"):
            if self[name]:
                values[name] = self[name].id
        for name in ("account_number", "drawer", "amount", "receipt_date", "face_date", "deposit_date", "notes"):
            values[name] = self[name]
        return values
