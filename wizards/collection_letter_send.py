from odoo import _, api, fields, models
from odoo.exceptions import UserError


class CollectionLetterSend(models.TransientModel):
    """A letter to chosen debtors, made at once: one PDF in each chatter, and all of them to print.

    The content is that of every message (``collection.content``): whatever it offers can be chosen here.
    """

    _name = "collection.letter.send"
    _description = "Send Letter"
    _inherit = ["collection.debtor.selection", "collection.content"]

    template_id = fields.Many2one(
        required=True,
        ondelete="cascade",
        default=lambda self: self.env.ref("account_collection.template_formal_letter", raise_if_not_found=False),
    )
    letter_ids = fields.Many2many("collection.letter", readonly=True, help="One for each company.")
    made_count = fields.Integer(string="Letters Made", compute="_compute_result")
    waiting_count = fields.Integer(string="Still Being Made", compute="_compute_result")
    left_out = fields.Text(string="No Letter For", readonly=True)
    is_sent = fields.Boolean(readonly=True)

    @api.depends("letter_ids")
    def _compute_result(self):
        for wizard in self:
            # sudo: who sent them may count them, whoever collects since
            states = wizard.letter_ids.sudo().notice_ids.mapped("state")
            wizard.made_count = states.count("sent")
            wizard.waiting_count = states.count("queued")

    # === Actions ===#

    def action_send(self):
        self.ensure_one()
        self.env["collection.notice"]._check_sender()
        debtors = self._get_debtors()
        if self.template_id.model != "collection.notice":
            raise UserError(_("“%(template)s” is no template of notices.", template=self.template_id.name))
        left_out = {}
        for company, of_company in debtors.grouped("company_id").items():
            # sudo: letters are made by the system; the right to send was checked
            letter = self.env["collection.letter"].sudo().create(self._prepare_letter(company)).sudo(False)
            left_out.update(letter._send(of_company))
            self.letter_ids |= letter
        failed = self.letter_ids.sudo().notice_ids.filtered(lambda notice: notice.state in ("failed", "cancelled"))
        self.left_out = "\n".join(
            [
                *(f"{debtor.partner_id.display_name}: {why}" for debtor, why in left_out.items()),
                *(f"{notice.partner_id.display_name}: {notice.reason}" for notice in failed),
            ]
        )
        self.is_sent = True
        return {
            "type": "ir.actions.act_window",
            "name": _("Send Letter"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_print(self):
        return self.env["collection.letter.print"]._open(self.letter_ids)

    def _prepare_letter(self, company):
        content = self.env["collection.content"]._fields.values()
        chosen = {field.name: self[field.name] for field in content if field.store and field.name != "id"}
        return {**self._convert_to_write(chosen), "name": self.template_id.name, "company_id": company.id}
