"""Demo data: an invented Mexican distributor, its customers and a year of their invoices and payments.

``collection_demo.load(env)`` loads everything; ``plan`` decides, without Odoo, who owes what since when; ``people``
holds the invented names. Every date is so many days before today and every choice comes from a seed: two databases
made on the same day are equal, and a database made on any day shows every level of the ladder.
"""
