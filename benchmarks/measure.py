"""Seconds, processor seconds, SQL statements and peak memory of a piece of work in this process.

How to use: ``with Measure(cursor) as measure: work()``, then read ``seconds``, ``cpu``, ``statements``, ``peak`` of it.
How it works: Odoo counts the statements of all its cursors; a thread reads the process's resident memory from /proc.
Processor seconds are those of this process, of the programs that it ran (wkhtmltopdf) and of the PostgreSQL sessions of
its database, where balances are refreshed after a commit: on a machine that others use too they tell more than the
clock.
"""

import os
import threading
import time

from odoo import sql_db

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
SAMPLE_EVERY = 0.02  # seconds


def resident():
    """Return this process's resident memory in MB; that of PostgreSQL and wkhtmltopdf is theirs."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * PAGE / 1e6


def session_cpu(pid):
    """Return the processor seconds of a PostgreSQL session, 0 when its server is another machine."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            after_name = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(after_name[11]) + int(after_name[12])) / TICKS


class Measure:
    """What a ``with`` block cost."""

    def __init__(self, cursor):
        self._connection = cursor.connection

    def _cpu(self):
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        # Not through Odoo's cursor, which would count these statements.
        with self._connection.cursor() as cursor:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
            return own + sum(session_cpu(pid) for (pid,) in cursor.fetchall())

    def __enter__(self):
        self.peak = resident()
        self._done = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()
        self._statements = sql_db.sql_counter
        self._cpu_before = self._cpu()
        self._started = time.perf_counter()
        return self

    def __exit__(self, *_error):
        self.seconds = time.perf_counter() - self._started
        self.cpu = self._cpu() - self._cpu_before
        self.statements = sql_db.sql_counter - self._statements
        self._done.set()
        self._sampler.join()
        self.peak = max(self.peak, resident())

    def _sample(self):
        while not self._done.wait(SAMPLE_EVERY):
            self.peak = max(self.peak, resident())
