# What a developer types. Each target is a command of tools/dev.py; `make` alone lists them.
export SERIES K KEEP FRESH ARGS PORT LOG FIX
PYTHON ?= python3
DEV = $(PYTHON) -m tools.dev

.DEFAULT_GOAL := help
.PHONY: help setup demo stop test lint format bench shell clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' Makefile

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

bench: ## the measured work, at the size of a real company (ARGS=)
	@$(DEV) bench

shell: ## an Odoo shell on the demo database
	@$(DEV) shell

setup: ## get ready what the other targets need
	@$(DEV) setup

clean: ## remove this checkout's databases, files, logs and mails
	@$(DEV) clean
