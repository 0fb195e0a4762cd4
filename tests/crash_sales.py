"""What a process of ``crash_worker.py`` does for the test of uninvoiced deliveries: it sells, with Sales installed."""

import base64
import random
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields, sql_db

PRICE = 100.0
TAX = 16.0


class Shop:
    """Sells, delivers, takes back and invoices; what is called otherwise in another series is looked for here."""

    def __init__(self, env):
        self.env = env
        self.tax = env["account.tax"].create({"name": "Test Tax", "amount": TAX, "type_tax_use": "sale"})
        self.dozen = env.ref("uom.product_uom_dozen")
        products = env["product.product"]
        self.goods = products.create({"name": "Drill", "type": "consu", "invoice_policy": "delivery"})
        self.service = products.create({"name": "Repair", "type": "service", "invoice_policy": "delivery"})

    def sell(self, partner, *items, **values):
        """A confirmed order of (product, quantity, price, unit or none) each."""
        lines = self.env["sale.order.line"]._fields
        unit_name = "product_uom_id" if "product_uom_id" in lines else "product_uom"
        tax_name = "tax_ids" if "tax_ids" in lines else "tax_id"
        commands = [
            fields.Command.create(
                {
                    "product_id": product.id,
                    "product_uom_qty": quantity,
                    "price_unit": price,
                    tax_name: [fields.Command.set(self.tax.ids)],
                    **({unit_name: unit.id} if unit else {}),
                }
            )
            for product, quantity, price, unit in items
        ]
        order = self.env["sale.order"].create({"partner_id": partner.id, "order_line": commands, **values})
        order.action_confirm()
        return order

    def deliver(self, order, quantity, days_ago):
        """Deliver so much of the first line, and nothing of the others; returns the delivery."""
        picking = order.picking_ids.filtered(lambda picking: picking.state not in ("done", "cancel"))[:1]
        for move in picking.move_ids:
            mine = move.sale_line_id == order.order_line[0]
            move.write({"quantity": quantity if mine else 0, "picked": mine})
        self._finish(picking, days_ago)
        return picking

    def take_back(self, picking, quantity, days_ago):
        context = {"active_id": picking.id, "active_ids": picking.ids, "active_model": picking._name}
        wizard = self.env["stock.return.picking"].with_context(**context).create({})
        wizard.product_return_moves.quantity = 0
        wizard.product_return_moves[0].quantity = quantity
        create = getattr(wizard, "action_create_returns", None) or wizard.create_returns
        back = picking.browse(create()["res_id"])
        for move in back.move_ids:
            move.write({"quantity": quantity, "picked": True})
        self._finish(back, days_ago)

    def _finish(self, picking, days_ago):
        picking._action_done()
        moment = datetime.combine(fields.Date.context_today(picking), datetime.min.time()) + timedelta(hours=18)
        picking.move_ids.filtered(lambda move: move.state == "done").date = moment - timedelta(days=days_ago)


def tell(sections):
    """What crosses over to the test."""
    return [
        {
            "currency": section["currency"].name,
            "total": section["total"],
            "rows": [
                [row["order"], row["reference"], row["delivery"], str(row["date"]), row["amount"]]
                for row in section["rows"]
            ],
        }
        for section in sections
    ]


def sell_at_random(shop, partner, seed):
    """Orders delivered and invoiced in any way; returns the figures of their lines, as Odoo has them."""
    chance = random.Random(seed)
    orders = []
    for _number in range(5):
        ordered = chance.randint(1, 30)
        order = shop.sell(partner, (shop.goods, ordered, chance.randint(1, 99_999) / 100, None))
        for days_ago in range(chance.randint(0, 3), 0, -1):
            left = ordered - order.order_line.qty_delivered
            if left and (quantity := chance.randint(0, int(left))):
                shop.deliver(order, quantity, days_ago)
                if chance.random() < 0.4 and order.invoice_status == "to invoice":
                    order._create_invoices().action_post()
        orders.append(order)
    return [
        [line.order_id.name, line.price_total, line.product_uom_qty, line.qty_delivered, line.qty_invoiced]
        for order in orders
        for line in order.order_line
    ]


def sell(env, company, customers, seed):
    """Sell in every way, and return what statements say of it."""
    company.account_use_credit_limit = True
    customer, other, none = customers
    shop, euro = Shop(env), env.ref("base.EUR")
    euro.active = True
    branch = env["res.partner"].create({"name": "Branch", "parent_id": customer.id, "type": "invoice"})

    # 10 at 100, delivered 4, 3 and 2; the first 4 are invoiced, 1 of the last 2 came back.
    parts = shop.sell(customer, (shop.goods, 10, PRICE, None), client_order_ref="PO-1")
    first = shop.deliver(parts, 4, 9)
    parts._create_invoices().action_post()
    second, third = shop.deliver(parts, 3, 5), shop.deliver(parts, 2, 3)
    shop.take_back(third, 1, 1)
    # Two dozens of three, delivered by the piece, and invoiced to a contact.
    dozens = shop.sell(customer, (shop.goods, 3, 12 * PRICE, shop.dozen), partner_invoice_id=branch.id)
    pieces = shop.deliver(dozens, 24, 4)
    # Work that no delivery tells of, in another currency.
    pricelist = env["product.pricelist"].create({"name": "Euros", "currency_id": euro.id})
    work = shop.sell(customer, (shop.service, 8, PRICE, None), pricelist_id=pricelist.id)
    work.order_line.qty_delivered = 2
    # Neither a quotation nor what was not delivered yet nor what is all invoiced waits.
    env["sale.order"].create({"partner_id": customer.id})
    shop.sell(customer, (shop.goods, 5, PRICE, None))
    done = shop.sell(customer, (shop.goods, 1, PRICE, None))
    shop.deliver(done, 1, 2)
    done._create_invoices().action_post()
    lines = sell_at_random(shop, other, seed)

    env.flush_all()
    env.cr.flush()
    env["collection.debtor.touch"]._drain()
    debtor_of = {
        debtor.partner_id: debtor for debtor in env["collection.debtor"].search([("partner_id", "in", customers.ids)])
    }
    debtors = env["collection.debtor"].union(*debtor_of.values())
    buyer = debtor_of[customer]
    deliveries = debtors._get_deliveries()
    with patch.object(env.registry["collection.debtor"], "_has_sale_deliveries", lambda self: False):
        without_stock = debtors._get_deliveries()
    return {
        "names": {
            "parts": parts.name,
            "dozens": dozens.name,
            "work": work.name,
            "deliveries": [first.name, second.name, third.name, pieces.name],
        },
        "days": [str(fields.Date.subtract(company._get_collection_today(), days=days)) for days in (5, 3, 4, 0)],
        "buyer": tell(deliveries[buyer.id]),
        "without_stock": tell(without_stock[buyer.id]),
        "random": tell(deliveries.get(debtor_of[other].id, [])),
        "lines": lines,
        "none": debtor_of[none].id in deliveries,
        **look(env, company, buyer, debtors),
    }


def look(env, company, buyer, debtors):
    """How documents and screens show it."""
    Wizard = env["collection.statement.wizard"].with_context(active_model=buyer._name, active_ids=buyer.ids)
    today = company._get_collection_today()
    statements = {shown: buyer._get_statement_shape(include_deliveries=shown) for shown in (True, False)}
    sections = {shown: statements[shown][buyer.id]["currencies"] for shown in statements}
    report = env["ir.actions.report"].with_context(force_report_rendering=True)
    action = Wizard.create({"include_deliveries": True}).action_print()
    html = report._render_qweb_html(action["report_name"], None, data=action["data"])[0]
    streams = report._render_qweb_pdf_prepare_streams(action["report_name"], action["data"], res_ids=None)
    past = Wizard.create({"include_deliveries": True, "as_of": fields.Date.subtract(today, days=1)})
    try:
        past.action_print()
        refusal = ""
    except Exception as error:
        refusal = str(error)
    counts = []
    for some in (debtors, buyer, debtors):
        before = sql_db.sql_counter
        some._query_deliveries()
        some._get_deliveries()
        counts.append(sql_db.sql_counter - before)
    xlsx = env["collection.statement.xlsx"]._render_xlsx(statements[True])
    content = env["collection.level"].search([], limit=1)
    content.include_deliveries = True
    return {
        "same_balances": [section["total"] for section in sections[True]]
        == [section["total"] for section in sections[False]],
        "html": html.decode() if isinstance(html, bytes) else str(html),
        "pdf": base64.b64encode(streams[buyer.id]["stream"].getvalue()).decode(),
        "xlsx": base64.b64encode(xlsx).decode(),
        "refusal": refusal,
        "counts": counts[1:],
        "exposure": env["collection.debtor"]._get_uninvoiced(buyer.partner_id, company)[buyer.partner_id.id],
        "layout": content._get_layout().deliveries,
        "views": [
            "include_deliveries" in env[model].get_view(view_type="form")["arch"]
            for model in ("collection.campaign", "collection.level", "collection.statement.wizard")
        ],
    }
