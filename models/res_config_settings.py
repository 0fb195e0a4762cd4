from odoo import api, fields, models

from .res_company_books import COUNTERPARTS


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    collection_policy_id = fields.Many2one(
        related="company_id.collection_policy_id",
        readonly=False,
        domain="[('company_id', 'in', (False, company_id))]",
    )
    collection_requires_approval = fields.Boolean(
        related="company_id.collection_policy_id.requires_approval",
        readonly=False,
        string="Approve Before Sending",
        help="The nightly run of the default policy stays a proposal until a person approves it.",
    )
    collection_tolerance = fields.Monetary(related="company_id.collection_tolerance", readonly=False)
    collection_bucket_1 = fields.Integer(related="company_id.collection_bucket_1", readonly=False)
    collection_bucket_2 = fields.Integer(related="company_id.collection_bucket_2", readonly=False)
    collection_bucket_3 = fields.Integer(related="company_id.collection_bucket_3", readonly=False)
    collection_notice_limit = fields.Integer(related="company_id.collection_notice_limit", readonly=False)
    collection_notice_days = fields.Integer(related="company_id.collection_notice_days", readonly=False)
    collection_sender = fields.Selection(related="company_id.collection_sender", readonly=False)
    collection_responsible_id = fields.Many2one(related="company_id.collection_responsible_id", readonly=False)

    collection_risk_b = fields.Integer(related="company_id.collection_risk_b", readonly=False)
    collection_risk_c = fields.Integer(related="company_id.collection_risk_c", readonly=False)
    collection_risk_d = fields.Integer(related="company_id.collection_risk_d", readonly=False)
    collection_promise_grace_days = fields.Integer(related="company_id.collection_promise_grace_days", readonly=False)
    collection_credit_check = fields.Selection(related="company_id.collection_credit_check", readonly=False)

    # === Postdated checks ===#
    collection_check_in_custody_account = fields.Boolean(
        related="company_id.collection_check_in_custody_account", readonly=False
    )
    collection_check_custody_account_id = fields.Many2one(
        related="company_id.collection_check_custody_account_id", readonly=False
    )
    collection_check_journal_id = fields.Many2one(
        related="company_id.collection_check_journal_id",
        readonly=False,
        domain="[('type', '=', 'general'), ('company_id', '=', company_id)]",
    )
    collection_check_fee_account_id = fields.Many2one(
        related="company_id.collection_check_fee_account_id", readonly=False
    )
    collection_check_penalty_percent = fields.Float(
        related="company_id.collection_check_penalty_percent", readonly=False
    )
    collection_check_penalty_account_id = fields.Many2one(
        related="company_id.collection_check_penalty_account_id", readonly=False
    )
    collection_check_notice_days = fields.Integer(related="company_id.collection_check_notice_days", readonly=False)
    collection_check_slip_entry = fields.Boolean(related="company_id.collection_check_slip_entry", readonly=False)

    # === Residues and imported open items ===#
    collection_residue_account_id = fields.Many2one(
        related="company_id.collection_residue_account_id",
        readonly=False,
        check_company=True,
        domain=COUNTERPARTS,
    )
    collection_residue_journal_id = fields.Many2one(
        related="company_id.collection_residue_journal_id",
        readonly=False,
        check_company=True,
        domain="[('type', '=', 'general')]",
    )
    collection_opening_journal_id = fields.Many2one(
        related="company_id.collection_opening_journal_id",
        readonly=False,
        check_company=True,
        domain="[('type', '=', 'general')]",
    )
    collection_opening_account_id = fields.Many2one(
        related="company_id.collection_opening_account_id",
        readonly=False,
        check_company=True,
        domain=COUNTERPARTS,
    )
    collection_opening_bare_account_id = fields.Many2one(
        related="company_id.collection_opening_bare_account_id",
        readonly=False,
        check_company=True,
        domain=COUNTERPARTS,
    )

    @api.model_create_multi
    def create(self, vals_list):
        # Odoo writes one field of the company after the other: ranges are compared when the last one is in its place.
        made = super(ResConfigSettings, self.with_context(collection_ranges_checked_later=True)).create(vals_list)
        companies = made.company_id.with_context(collection_ranges_checked_later=False)
        companies._check_collection_buckets()
        companies._check_collection_risk()
        return made.with_env(self.env)

    @api.onchange("collection_policy_id")
    def _onchange_collection_policy_id(self):
        """The approval is the chosen policy's own: without this, saving would give it that of the policy before."""
        self.collection_requires_approval = self.collection_policy_id.requires_approval
