"""Business rules as plain Python: dates, ages, levels, amounts. Nothing here imports Odoo."""
