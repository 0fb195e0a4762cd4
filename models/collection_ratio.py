from odoo import api, models
from odoo.tools import SQL


class CollectionRatio(models.AbstractModel):
    """Percentages of a report that stay true when its rows are grouped: of the sums, and not the average of the rows.

    *How to use.* Inherit, and tell in ``_get_ratios`` of which columns each percentage is; its field has
    ``group_operator="avg"``.
    """

    _name = "collection.ratio"
    _description = "Percentages of a Report"

    @api.model
    def _get_ratios(self):
        """{field: (column of the parts, column of the wholes)}"""
        return {}

    def _read_group_select(self, aggregate_spec, query):
        name, _colon, function = aggregate_spec.partition(":")
        if function != "avg" or name not in self._get_ratios():
            return super()._read_group_select(aggregate_spec, query)
        sums = [super(CollectionRatio, self)._read_group_select(f"{of}:sum", query) for of in self._get_ratios()[name]]
        # 17.0 tells the names of the fields beside each expression.
        parts, wholes = (found[0] if isinstance(found, tuple) else found for found in sums)
        ratio = SQL("100.0 * %s / NULLIF(GREATEST(%s, 0), 0)", parts, wholes)
        return (ratio, list(self._get_ratios()[name])) if isinstance(sums[0], tuple) else ratio
