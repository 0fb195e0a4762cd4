from collections import defaultdict
from typing import NamedTuple

from odoo import _, models
from odoo.exceptions import UserError
from odoo.tools import email_normalize, email_split, email_split_and_format


class Copies(NamedTuple):
    addresses: list
    """Formatted, of those whom the customer sees beside itself."""

    blind: models.BaseModel
    """Partners whom it does not see."""


class CollectionNoticeAddress(models.AbstractModel):
    """Whom the mail of a notice is from, who receives it and its copies, and where its answer goes.

    *How to use.* ``notices._get_addresses()`` while they are dispatched, ``_find_addresses()`` to look only;
    ``_get_copies()`` with what either returns.

    *How it works.* The contacts of all customers are read together: one search for the usual ones, one more for those
    of contact groups where a level or a campaign names some.
    """

    _name = "collection.notice.address"
    _description = "Addresses of Notices"

    def _get_addresses(self):
        """``{notice: partners}`` for those that can be written to; the others try their next channel or fail."""
        addressed, unreachable = self._find_addresses()
        self._try_next_channels(unreachable)
        return addressed

    def _find_addresses(self):
        """(``{notice: partners}``, ``{notice: why nobody can be written to}``)"""
        addressed, unreachable = {}, {}
        for notice, partners in self._get_recipients().items():
            usable = partners.filtered(lambda partner: partner.email_normalized and not partner.is_blacklisted)
            if usable:
                addressed[notice] = usable
            else:
                unreachable[notice] = notice._get_why_unreachable(partners[:1])
        return addressed, unreachable

    def _get_why_unreachable(self, partner):
        """One sentence about the first of its recipients, which may be none."""
        if not partner:
            return _(
                "%(customer)s has no contact with a mail address in %(groups)s.",
                customer=self.partner_id.display_name,
                groups=", ".join(self._get_content().contact_group_ids.mapped("name")),
            )
        if not partner.email:
            return _("%(customer)s has no mail address.", customer=partner.display_name)
        if not partner.email_normalized:
            return _(
                "“%(address)s” of %(customer)s is not a mail address.",
                address=partner.email,
                customer=partner.display_name,
            )
        return _("%(address)s asked not to receive mails (blacklist).", address=partner.email)

    def _get_recipients(self):
        """``{notice: partners}``: the customer's contacts of the groups that its level or campaign writes to; where it
        names none, or the customer has none of them, the debtor's usual recipients."""
        usual, contacts_of = self.debtor_id._get_recipients(), self._get_group_contacts()
        recipients = {}
        for notice in self:
            content = notice._get_content()
            partners = contacts_of[notice.partner_id].filtered(
                lambda contact, content=content: contact.collection_contact_group_ids & content.contact_group_ids
            )
            only = content.contact_group_ids and content.contact_groups_only
            recipients[notice] = partners if partners or only else usual[notice.debtor_id]
        return recipients

    def _get_group_contacts(self):
        """``{customer: contacts}`` with an address, of the groups that the levels and campaigns of these notices write
        to. One search for all, none where there is no such group."""
        # sudo: whom a notice goes to does not depend on who looks
        contacts = self.env["res.partner"].sudo()
        groups = contacts.collection_contact_group_ids.union(
            *(notice._get_content().contact_group_ids for notice in self)
        )
        if groups:
            contacts = contacts.search_fetch(
                [
                    ("commercial_partner_id", "in", self.partner_id.ids),
                    ("email", "not in", (False, "")),
                    ("collection_contact_group_ids", "in", groups.ids),
                ],
                ["commercial_partner_id", "collection_contact_group_ids", "email", "name", "lang"],
                order="id",
            )
        contacts_of = defaultdict(contacts.browse)
        for contact in contacts:
            contacts_of[contact.commercial_partner_id] |= contact
        return contacts_of

    # === From ===#

    def _get_sender(self, email_from):
        """(author, formatted address) of a notice: the template's address where it names one, else that of the
        collector or the company, as the company's setting says."""
        self.ensure_one()
        company = self.company_id
        author = company.partner_id
        if company.collection_sender == "collector" and self.debtor_id.collector_id.email:
            author = self.debtor_id.collector_id.partner_id
        email_from = email_from or author.email_formatted or company.email_formatted
        if not email_from:
            raise UserError(_("%(company)s has no mail address to send from.", company=company.name))
        return author, email_from

    def _get_reply_to(self, texts, senders):
        """``{notice: address}`` for the customer's answer: the template's where it names one, else one that leads to
        the debtor's chatter."""
        reply_to = {notice: texts[notice].reply_to for notice in self}
        threads = self.filtered(lambda notice: not reply_to[notice])
        for sender, notices in threads.grouped(lambda notice: senders[notice][1]).items():
            addresses = notices.debtor_id._notify_get_reply_to(default=sender)
            reply_to.update({notice: addresses[notice.debtor_id.id] for notice in notices})
        return reply_to

    # === Copies ===#

    def _get_copies(self, addressed):
        """``{notice: Copies}``: those of the debtor and of the campaign, each address once and none that the message
        goes to anyway.

        :param addressed: ``{notice: partners}``
        """
        copies = {}
        for notice in self:
            debtor, (copied, blind) = notice.debtor_id, notice._get_content()._get_copies()
            known = {email_normalize(text) for partner in addressed[notice] for text in email_split(partner.email)}
            addresses = [
                address
                for partner in (debtor.cc_partner_ids | copied)
                if not partner.is_blacklisted
                for address in email_split_and_format(partner.email or "")
                if self._is_new(email_normalize(address), known)
            ]
            unseen = (debtor.bcc_partner_ids | blind).filtered(
                lambda partner, known=known: (
                    not partner.is_blacklisted and self._is_new(partner.email_normalized, known)
                )
            )
            copies[notice] = Copies(addresses, unseen)
        return copies

    def _is_new(self, address, known):
        """Whether this is an address that is not among those ``known``; from now on it is."""
        if not address or address in known:
            return False
        known.add(address)
        return True
