from contextlib import contextmanager

from odoo import _, api, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from ..engine import dunning
from ..engine.keys import notice_key
from .collection_debtor_dunning import Occasion, speak
from .notice_states import PROPOSED
from .print_errors import NotPrintedError

TRIED_AT_ONCE = 100  # debtors whose items are read to find one that has something to be told


class CollectionContent(models.AbstractModel):
    """Shows what its messages say before any leaves.

    *How to use.* ``with content._sampled(debtors) as notice``, and in it ``_render_sample(notice)`` and
    ``_print_sample(notice)``. Inherit with ``_get_sample_debtors()`` and
    ``_get_sample_owners()``.

    *How it works.* The notice is made, rendered and printed as every other one, and taken back at the end: nothing of
    it stays.
    """

    _inherit = "collection.content"

    def action_preview(self):
        """Show what one of its debtors would receive."""
        self.ensure_one()
        return self.env["collection.preview.wizard"]._open(self)

    def _check_text(self):
        """:raise UserError: when the text of the first message cannot be rendered: no message could leave"""
        for content in self:
            with content._sampled() as notice:
                if notice:
                    content._render_sample(notice)

    @contextmanager
    def _sampled(self, debtors=None):
        """A notice as it would be made now, of the first of ``debtors`` that has something to be told, by default of
        those that it is for; an empty one where none has. At the end it is taken back."""
        self.ensure_one()
        with self.env.cr.savepoint() as savepoint:
            # sudo: notices are made by the system; who may see the debtor is asked before
            yield self.sudo()._make_sample(debtors)
            savepoint.rollback()
        self.env.invalidate_all(flush=False)

    def _make_sample(self, debtors=None):
        Debtor = self.env["collection.debtor"]
        debtors = self._get_sample_debtors() if debtors is None else debtors
        for ids in split_every(TRIED_AT_ONCE, debtors.ids):
            company = Debtor.browse(ids[0]).company_id
            today = company._get_collection_today()
            positions, units = Debtor._get_positions(company, today, ids, self._get_documents(today))
            rungs = dunning.Rungs([], today)
            for position in sorted(positions, key=lambda position, ids=ids: ids.index(position.debtor_id)):
                if items := self._get_items(position, units, rungs):
                    return self._enqueue_sample(company, today, position.debtor_id, (items, rungs, units))
        return self.env["collection.notice"]

    def _enqueue_sample(self, company, today, debtor_id, reading):
        """:param reading: (items, rungs, units) of what is spoken of"""
        key = notice_key(company.id, debtor_id, f"sample-{self._name}-{self.id}", today, "sample")
        run, level = self._get_sample_owners(today)
        spoken = speak(key, None, *reading, today)
        occasion = Occasion(company.id, run.id or None, today, reading[-1])
        channel = self._get_written_channel()
        notice = occasion.prepare_notice(key, debtor_id, level.id or None, channel, PROPOSED, spoken=spoken)
        self.env["collection.notice"]._enqueue([notice], spoken.rows)
        return self.env["collection.notice"].search([("dedupe_key", "=", key)])

    def _get_sample_owners(self, today):
        """(run, level) of a sample, of which one is empty."""
        raise NotImplementedError

    def _get_sample_debtors(self):
        """Those whom it is for, who is shown first in front."""
        raise NotImplementedError

    def _get_written_channel(self):
        """The first of its channels that has a text."""
        self.ensure_one()
        written = [channel for channel in self._get_channels() if channel in ("mail", "letter")]
        if not written or not self.template_id:
            raise UserError(_("“%(content)s” writes to nobody: it has no text to show.", content=self.name))
        return written[0]

    # === What it says ===#

    def _render_sample(self, notice):
        """The ``Text`` of a sample.

        :raise UserError: that names the template, when it cannot be rendered
        """
        try:
            return notice._render_texts()[notice]
        except Exception as error:
            raise UserError(
                _(
                    "The template “%(template)s” cannot be rendered for %(customer)s, correct it: %(reason)s",
                    template=self.template_id.name,
                    customer=notice.debtor_id.display_name,
                    reason=self._get_render_problem(error),
                )
            ) from error

    @api.model
    def _get_render_problem(self, error):
        """What went wrong in the template, in the words of Python."""
        root = error
        while root.__cause__:
            root = root.__cause__
        return str(root).strip() or type(root).__name__

    def _print_sample(self, notice, letter=None):
        """The statement of a sample, or its letter: an attachment, which is taken back with it.

        :param letter: the text above the statement
        """
        try:
            with notice._print_statements({notice: letter} if letter else None) as finish:
                return finish()[notice]
        except NotPrintedError as not_printed:
            raise not_printed.errors[notice] from not_printed
