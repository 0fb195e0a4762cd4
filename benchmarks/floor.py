"""What this machine takes for two pieces of fixed work, so that seconds mean the same on a slow machine and a fast one.

*How to use.* ``measure(bench)`` prints a row for each floor, each time it is called; ``factors(rows)`` tells how many
times slower than the reference machine this one was, for work that is SQL and for work that is Python.

*How it works.* One floor is one aggregate over all open receivable lines, by customer and age, of the case of the
targets: the least that any refresh or decision can take. The other is a loop in plain Python. Each is the median of
seven runs by the clock after one that does not count, taken before the measured work and after it; the mean of the two
counts, since a machine that others use is not equally fast all the time. The reference machine is the one on which the
aggregate takes 0.055 s; where it does, the loop takes 0.065 s. To enqueue is four fifths SQL and counts as that; to
dispatch is Python, SQL and wkhtmltopdf, judged by the mean of the two factors.
"""

import json
import statistics

RUNS = 7
SQL_FLOOR, PYTHON_FLOOR = "floor: one aggregate", "floor: a loop in Python"
REFERENCE = {SQL_FLOOR: 0.055, PYTHON_FLOOR: 0.065}  # seconds
ADDITIONS = 1_000_000

AGGREGATE = """
    SELECT COALESCE(partner.commercial_partner_id, partner.id),
           width_bucket(%(today)s - COALESCE(line.date_maturity, line.date), ARRAY[1, 31, 61, 91]) AS age,
           SUM(line.amount_residual)
      FROM account_move_line line
      JOIN res_partner partner ON partner.id = line.partner_id
     WHERE line.account_id = ANY(%(accounts)s) AND line.parent_state = 'posted' AND line.reconciled IS NOT TRUE
     GROUP BY 1, 2"""


def measure(bench, names=tuple(REFERENCE)):
    """Print the row of each floor of ``names``."""
    cursor = bench.env.cr
    values = {"today": bench.today, "accounts": bench.env["account.account"]._get_receivable_ids()}

    def aggregate():
        cursor.execute(AGGREGATE, values)
        return len(cursor.fetchall())

    for name, work, statements in ((SQL_FLOOR, aggregate, 1), (PYTHON_FLOOR, _add, 0)):
        if name not in names:
            continue
        count = work()
        runs = [bench.cost(work) for _run in range(RUNS)]
        row = {
            "work": name,
            "seconds": statistics.median(run.seconds for run in runs),
            "cpu": statistics.median(run.cpu for run in runs),
            "statements": statements,
            "peak": runs[-1].peak,
            "count": count,
        }
        print(json.dumps(row), flush=True)


def _add():
    total = 0
    for number in range(ADDITIONS):
        total += number
    return ADDITIONS


def factors(rows):
    """Return ``{"sql", "python", "mixed"}``: times that this machine took what the reference machine takes, never less
    than 1: a machine that is faster at a floor is not faster at everything, and its limits are those of the reference.
    """
    by_floor = {
        name: max(1, statistics.mean([row["seconds"] for row in rows if row["work"] == name] or [seconds]) / seconds)
        for name, seconds in REFERENCE.items()
    }
    sql, python = by_floor[SQL_FLOOR], by_floor[PYTHON_FLOOR]
    return {"sql": sql, "python": python, "mixed": (sql + python) / 2}
