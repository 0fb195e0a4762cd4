"""Uninvoiced deliveries on statements, in a database of their own with Sales and its stock."""

import base64
import io
import random
import re
from collections import defaultdict

import openpyxl

from odoo.tests import tagged
from odoo.tools.pdf import PdfFileReader

from .crash_common import CrashCase

WITH_TAX = 116.0


@tagged("-standard", "post_install", "collection_crash")
class TestDeliveries(CrashCase):
    def test_what_was_delivered_and_not_invoiced(self):
        seed = random.randrange(10**6)
        with self.worker(self.clone_installed()) as worker:
            told = worker.do("sell", seed=seed)
        self.check_sections(told)
        self.check_random(told, seed)
        self.check_documents(told)
        self.assertFalse(told["none"], "who waits for no invoice has no section")
        self.assertTrue(told["same_balances"], "it is part of no balance")
        self.assertEqual(told["counts"][0], told["counts"][1], "one statement, whatever the number of debtors")
        self.assertEqual(told["views"], [True] * 3)
        self.assertTrue(told["layout"])
        self.assertIn("known as of today alone", told["refusal"])
        own = told["buyer"][0]["total"]
        self.assertGreaterEqual(told["exposure"], own, "all that is delivered counts against the limit, and more")

    def check_sections(self, told):
        names, (second_day, third_day, pieces_day, today) = told["names"], told["days"]
        first, second, third, pieces = names["deliveries"]
        self.assertNotIn(first, str(told["buyer"]), "what came first is what was invoiced")
        dollars, euros = told["buyer"]
        self.assertEqual(
            dollars,
            {
                "currency": "USD",
                "total": 28 * WITH_TAX,
                "rows": [
                    [names["parts"], "PO-1", second, second_day, 3 * WITH_TAX],
                    [names["dozens"], "", pieces, pieces_day, 24 * WITH_TAX],
                    [names["parts"], "PO-1", third, third_day, 1 * WITH_TAX],
                ],
            },
        )
        self.assertEqual(
            euros,
            {"currency": "EUR", "total": 2 * WITH_TAX, "rows": [[names["work"], "", "", today, 2 * WITH_TAX]]},
        )
        self.assertEqual(
            [[(row[0], row[2], row[4]) for row in section["rows"]] for section in told["without_stock"]],
            [
                [(names["parts"], "", 4 * WITH_TAX), (names["dozens"], "", 24 * WITH_TAX)],
                [(names["work"], "", 2 * WITH_TAX)],
            ],
        )

    def check_random(self, told, seed):
        """What an order waits for is its lines' share of their price, in cents."""
        expected = {
            order: round(price * (delivered - invoiced) / ordered, 2)
            for order, price, ordered, delivered, invoiced in told["lines"]
            if delivered > invoiced
        }
        shown = defaultdict(float)
        for section in told["random"]:
            for order, _reference, _delivery, _day, amount in section["rows"]:
                shown[order] += amount
        for order in expected | shown:
            self.assertAlmostEqual(shown[order], expected.get(order, 0), delta=0.011, msg=f"seed {seed}, {order}")
        self.assertAlmostEqual(
            sum(section["total"] for section in told["random"]), sum(shown.values()), 2, msg=f"seed {seed}"
        )

    def check_documents(self, told):
        pdf = PdfFileReader(io.BytesIO(base64.b64decode(told["pdf"])), strict=False)
        printed = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pdf.pages))
        for text in (told["html"], printed):
            self.assertIn("Delivered and not invoiced yet, in", text)
            self.assertIn("3,248.00", text)
            self.assertIn(told["names"]["deliveries"][1], text)
        book = openpyxl.load_workbook(io.BytesIO(base64.b64decode(told["xlsx"])), data_only=True)
        cells = [cell.value for row in book["USD Deliveries"] for cell in row if cell.value is not None]
        self.assertIn(told["names"]["parts"], cells)
        self.assertEqual(cells.count(28 * WITH_TAX), 1, "the subtotal")
        self.assertIn("EUR Deliveries", book.sheetnames)
