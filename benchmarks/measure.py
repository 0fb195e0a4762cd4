"""Seconds, SQL statements and peak memory of a piece of work in this process.

How to use: ``with Measure() as measure: work()``, then read ``measure.seconds``, ``.statements`` and ``.peak``.
How it works: Odoo counts the statements of all its cursors; a thread reads the process's resident memory from /proc.
"""

import os
import threading
import time

from odoo import sql_db

PAGE = os.sysconf("SC_PAGE_SIZE")
SAMPLE_EVERY = 0.02  # seconds


def resident():
    """Return this process's resident memory in MB; that of PostgreSQL and wkhtmltopdf is theirs."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE / 1e6


class Measure:
    """What a ``with`` block cost."""

    def __enter__(self):
        self.peak = resident()
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        self._statements = sql_db.sql_counter
        self._started = time.perf_counter()
        return self

    def __exit__(self, *_error):
        self.seconds = time.perf_counter() - self._started
        self.statements = sql_db.sql_counter - self._statements
        self._done.set()
        self._sampler.join()
        self.peak = max(self.peak, resident())

    def _sample(self):
        while not self._done.wait(SAMPLE_EVERY):
            self.peak = max(self.peak, resident())
