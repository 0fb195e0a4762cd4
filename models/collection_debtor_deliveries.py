from collections import defaultdict
from operator import itemgetter

import pytz

from odoo import api, models
from odoo.tools import SQL

from ..engine.deliveries import spread

# What each series calls the unit of measure of an order's line.
UNITS = ("product_uom_id", "product_uom")


class CollectionDebtor(models.Model):
    """What was delivered to a debtor and is not invoiced yet, where Sales is installed; with its stock, by delivery.

    *How it works.* One statement for the order lines of all debtors and for their deliveries. It is less than what
    counts against the credit limit (collection_debtor_credit.py), which is Odoo's own figure of what is still to be
    invoiced, ordered goods that are invoiced before they are delivered included.
    """

    _inherit = "collection.debtor"

    def _get_deliveries(self):
        """Return what waits to be invoiced of these debtors, in sudo, now: with tax, never part of a balance.

        :return: {debtor id: [{currency, rows: [{date, order, reference, delivery, amount}], total}, ...]}, own currency
            first; no debtor without any, nobody without Sales
        """
        if "sale.order" not in self.env or not self.ids:
            return {}
        self._flush_deliveries()
        self.env.cr.execute(self._query_deliveries())
        rows_of = defaultdict(list)
        for row in self.env.cr.dictfetchall():
            rows_of[row["debtor_id"], row["currency_id"], row["line_id"]].append(row)
        amounts = defaultdict(lambda: defaultdict(int))
        for (debtor_id, currency_id, _line_id), rows in rows_of.items():
            of_currency = amounts[debtor_id, currency_id]
            for key, amount in self._spread_over_deliveries(rows):
                of_currency[key] += amount
        sections_of = defaultdict(list)
        for (debtor_id, currency_id), of_currency in amounts.items():
            if section := self._prepare_deliveries(currency_id, of_currency):
                sections_of[debtor_id].append(section)
        return {
            debtor.id: sorted(
                sections_of[debtor.id],
                key=lambda section, own=debtor.company_id.currency_id: (
                    section["currency"] != own,
                    section["currency"].name,
                ),
            )
            for debtor in self
            if debtor.id in sections_of
        }

    @api.model
    def _prepare_deliveries(self, currency_id, amounts):
        """:param amounts: {(date, order, reference, delivery): amount in the smallest unit of the currency}"""
        currency = self.env["res.currency"].browse(currency_id)
        rows = [
            {
                "date": day,
                "order": order,
                "reference": reference,
                "delivery": delivery,
                "amount": currency.round(amount * currency.rounding),
            }
            for (day, order, reference, delivery), amount in sorted(amounts.items())
            if amount
        ]
        total = currency.round(sum(row["amount"] for row in rows))
        return rows and {"currency": currency, "rows": rows, "total": total}

    @api.model
    def _spread_over_deliveries(self, rows):
        """Pairs ((date, order, reference, delivery), amount in the smallest unit of the currency).

        :param rows: those of one order line, a row for each of its deliveries and returns
        """
        line = rows[0]
        currency = self.env["res.currency"].browse(line["currency_id"])
        amount = round(line["price_total"] * line["waiting"] / line["ordered"] / currency.rounding)
        returned = defaultdict(float)
        for row in rows:
            returned[row["returned_move_id"]] += self._convert_to_ordered_unit(row)
        deliveries = sorted(
            (row for row in rows if row["is_delivery"]), key=itemgetter("moved_on", "move_id"), reverse=True
        )
        quantities = [self._convert_to_ordered_unit(row) - returned[row["move_id"]] for row in deliveries]
        timezone = self.env["res.company"].browse(line["company_id"])._get_collection_timezone()
        places = [(row["moved_on"], row["delivery"] or "") for row in deliveries] + [(line["ordered_on"], "")]
        for (moment, delivery), part in zip(places, spread(amount, line["waiting"], quantities), strict=True):
            day = pytz.utc.localize(moment).astimezone(timezone).date()
            yield (day, line["name"], line["reference"] or "", delivery), part

    @api.model
    def _convert_to_ordered_unit(self, row):
        if row["moved_unit_id"] == row["unit_id"] or not row["moved"]:
            return row["moved"] or 0.0
        units = self.env["uom.uom"]
        moved, ordered = units.browse(row["moved_unit_id"]), units.browse(row["unit_id"])
        return moved._compute_quantity(row["moved"], ordered, round=False)

    # === SQL ===#

    @api.model
    def _has_sale_deliveries(self):
        """Whether deliveries know their order line."""
        return "stock.move" in self.env and "sale_line_id" in self.env["stock.move"]._fields

    @api.model
    def _flush_deliveries(self):
        for model in ("collection.debtor", "res.partner", "sale.order", "sale.order.line"):
            self.env[model].flush_model()
        if self._has_sale_deliveries():
            for model in ("stock.location", "stock.move", "stock.picking"):
                self.env[model].flush_model()

    def _query_deliveries(self):
        """Rows of what waits to be invoiced of these debtors: a row for each order line, or for each delivery and
        return of it. Served by the indexes of orders on their invoice address, of lines on their order and of moves on
        their order line."""
        of_move, moves = self._query_moves_of_line()
        unit = next(name for name in UNITS if name in self.env["sale.order.line"]._fields)
        return SQL(
            """
            SELECT debtor.id AS debtor_id, debtor.company_id, line.id AS line_id, line.currency_id,
                   sale.name, sale.client_order_ref AS reference, sale.date_order AS ordered_on,
                   line.price_total, line.product_uom_qty AS ordered, line.qty_delivered - line.qty_invoiced AS waiting,
                   %(unit)s AS unit_id, %(of_move)s
              FROM collection_debtor debtor
              JOIN res_partner member
                ON member.commercial_partner_id = debtor.partner_id
                OR (member.id = debtor.partner_id AND member.commercial_partner_id IS NULL)
              JOIN sale_order sale ON sale.partner_invoice_id = member.id AND sale.company_id = debtor.company_id
              JOIN sale_order_line line ON line.order_id = sale.id
              %(moves)s
             WHERE debtor.id = ANY(%(ids)s) AND sale.state = 'sale'
               AND line.display_type IS NULL AND line.is_downpayment IS NOT TRUE
               AND line.qty_delivered > line.qty_invoiced AND line.product_uom_qty <> 0
            """,
            unit=SQL.identifier("line", unit),
            of_move=of_move,
            moves=moves,
            ids=self.ids,
        )

    @api.model
    def _query_moves_of_line(self):
        """(columns, join) of what was moved of an order ``line``."""
        if not self._has_sale_deliveries():
            nothing = SQL(
                """NULL::int AS move_id, FALSE AS is_delivery, NULL::int AS returned_move_id, NULL::numeric AS moved,
                   NULL::int AS moved_unit_id, NULL::timestamp AS moved_on, NULL::varchar AS delivery"""
            )
            return nothing, SQL()
        columns = SQL(
            """move.id AS move_id, place.usage = 'customer' AS is_delivery,
               CASE WHEN place.usage <> 'customer' THEN move.origin_returned_move_id END AS returned_move_id,
               move.quantity AS moved, move.product_uom AS moved_unit_id, move.date AS moved_on,
               picking.name AS delivery"""
        )
        join = SQL(
            """LEFT JOIN (stock_move move JOIN stock_location place ON place.id = move.location_dest_id)
                 ON move.sale_line_id = line.id AND move.state = 'done' AND move.product_id = line.product_id
                AND (place.usage = 'customer' OR move.to_refund)
               LEFT JOIN stock_picking picking ON picking.id = move.picking_id"""
        )
        return columns, join
