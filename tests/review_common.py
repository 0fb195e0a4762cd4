"""A customer that reviews on Mondays and pays on Fridays, on Thursday 12 November 2026."""

from datetime import date, datetime, timedelta

from freezegun import freeze_time

from odoo import Command

from .common import CollectionCommon

# 12 November 2026, a Thursday, at 10:00 in Mexico City.
NOW = "2026-11-12 16:00:00"
HOLIDAYS = (date(2026, 11, 16), date(2026, 12, 25), date(2027, 1, 1))


class ReviewCommon(CollectionCommon):
    @classmethod
    def setUpClass(cls):
        cls.startClassPatcher(freeze_time(NOW))
        super().setUpClass()
        cls.calendar = cls.env["resource.calendar"].create(
            {"name": "Mexican working hours", "tz": "America/Mexico_City", "company_id": cls.company.id}
        )
        cls.company.resource_calendar_id = cls.calendar
        cls.company.partner_id.tz = "America/Mexico_City"
        cls.env["resource.calendar.leaves"].create(
            [
                {
                    "name": "Holiday",
                    "calendar_id": cls.calendar.id,
                    "date_from": datetime(day.year, day.month, day.day, 6),
                    "date_to": datetime(day.year, day.month, day.day, 6) + timedelta(hours=23, minutes=59),
                }
                for day in HOLIDAYS
            ]
        )
        cls.term = cls.make_term(30)
        cls.customer = cls.make_reviewer("Reviewer")

    @classmethod
    def make_term(cls, *days, **values):
        share = 100 / len(days)
        lines = [{"value": "percent", "value_amount": share, "nb_days": day} for day in days]
        name = f"{'/'.join(map(str, days))} days"
        lines = [Command.create(line) for line in lines]
        return cls.env["account.payment.term"].create({"name": name, "line_ids": lines, **values})

    @classmethod
    def make_reviewer(cls, name, on_holiday="next_business_day", **values):
        """Reviews on Mondays from 9 to 13, pays on Fridays."""
        return cls.make_customer(
            name,
            tz="America/Mexico_City",
            collection_credit_basis="review",
            collection_review_on_holiday=on_holiday,
            collection_payment_on_holiday=on_holiday,
            collection_window_ids=[
                Command.create({"purpose": "review", "weekday": "0", "hour_from": 9, "hour_to": 13}),
                Command.create({"purpose": "payment", "weekday": "4"}),
            ],
            property_payment_term_id=cls.term.id,
            **values,
        )

    @classmethod
    def bills(cls, partner, *amounts, day=None):
        """Invoices of one customer, made at once."""
        values = {"invoice_payment_term_id": partner.property_payment_term_id.id, "invoice_date": day or cls.today}
        return cls.make_invoices(*((partner, amount, 0) for amount in amounts), **values)

    @classmethod
    def bill(cls, partner, amount=1000.0, day=None, **values):
        values = {"invoice_payment_term_id": partner.property_payment_term_id.id, **values}
        return cls.make_invoice(partner, amount, invoice_date=day or cls.today, **values)
