# What a developer types. Each target is a command of tools/dev.py; `make` alone lists them.
export SERIES K KEEP FRESH ARGS PORT LOG FIX
PYTHON ?= python3
DEV = $(PYTHON) -m tools.dev

.DEFAULT_GOAL := help
.PHONY: help setup demo stop test lint format i18n bench shell screenshots clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## /{printf "make %-11s %s\n", $$1, $$2}' Makefile

demo: ## everything from nothing: Odoo with demo data, one nightly run, mails caught, served on http://127.0.0.1:8069 (PORT=)
	@$(DEV) demo

stop: ## end what `make demo` started
	@$(DEV) stop

test: ## the whole suite on each series that can be had (SERIES=17.0, K=review, KEEP=1, FRESH=1, ARGS="-x", LOG=info)
	@$(DEV) test

lint: ## ruff, pylint-odoo, data files
	@$(DEV) lint

format: ## let ruff mend what it can
	@FIX=1 $(DEV) lint --only ruff

i18n: ## export the texts to i18n/*.pot, bring the translations up to date, tell what is left to translate
	@$(DEV) i18n

bench: ## the measured work, at the size of a real company (ARGS=)
	@$(DEV) bench

shell: ## an Odoo shell on the demo database
	@$(DEV) shell

screenshots: ## the pictures of static/description, from the running demo (ARGS="debtors board")
	@$(DEV) screenshots

setup: ## get ready what the other targets need
	@$(DEV) setup

clean: ## remove this checkout's databases, files, logs and mails
	@$(DEV) clean
