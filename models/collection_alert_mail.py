from collections import defaultdict

from odoo import _, api, models

MAX_LISTED = 50


class CollectionAlert(models.Model):
    """The one mail in which a person is told of debtors."""

    _inherit = "collection.alert"

    @api.model
    def _prepare_mail(self, user, company, records, documents):
        """Values of the mail to a person.

        :param dict records: the record that the person opens, by alert
        :param dict documents: of ``_get_documents``
        """
        lang = user.lang or self.env.lang
        localized = self.with_context(lang=lang)
        alerts = localized.browse(alert.id for alert in records)
        values = {
            "greeting": localized._get_greeting(user, company),
            "sections": localized._get_sections(
                alerts, {alert.id: record for alert, record in records.items()}, documents
            ),
        }
        author = company.partner_id
        return {
            "subject": localized._get_mail_subject(company, len(alerts)),
            "body_html": localized.env["ir.qweb"]._render("account_collection.collection_alert_mail", values),
            "email_to": user.email_formatted,
            "email_from": author.email_formatted or self.env.ref("base.user_root").email_formatted,
            "author_id": author.id,
            "auto_delete": True,
        }

    @api.model
    def _get_mail_subject(self, company, count):
        if count == 1:
            return _("Collections of %s: one alert", company.name)
        return _("Collections of %(company)s: %(count)s alerts", company=company.name, count=count)

    @api.model
    def _get_greeting(self, user, company):
        return _("Hello %(user)s, this is new in the collections of %(company)s:", user=user.name, company=company.name)

    @api.model
    def _get_sections(self, alerts, record_of, documents):
        """What the mail lists: a section per rule, a row per debtor, the highest overdue amount first."""
        sections = []
        for rule, found in alerts.grouped("rule_id").items():
            by_debtor = defaultdict(list)
            for alert in found:
                by_debtor[alert.debtor_id].append(alert)
            debtors = found.debtor_id.sorted(lambda debtor: (-debtor.overdue, debtor.id))
            currency = debtors.currency_id
            sections.append(
                {
                    "title": rule.name,
                    "count": len(debtors),
                    "rows": [
                        self._prepare_row(debtor, by_debtor[debtor], record_of[by_debtor[debtor][0].id], documents)
                        for debtor in debtors[:MAX_LISTED]
                    ],
                    "more": len(debtors) > MAX_LISTED and _("%s more", len(debtors) - MAX_LISTED),
                    "overdue": currency.format(sum(debtors.mapped("overdue"))),
                    "total_due": currency.format(sum(debtors.mapped("total_due"))),
                }
            )
        return sections

    @api.model
    def _prepare_row(self, debtor, alerts, record, documents):
        return {
            "name": debtor.partner_id.display_name,
            "url": f"{debtor.get_base_url()}/mail/view?model={record._name}&res_id={record.id}",
            "texts": [alert._get_text(documents) for alert in alerts],
            "overdue": debtor.currency_id.format(debtor.overdue),
            "total_due": debtor.currency_id.format(debtor.total_due),
        }
