"""Databases with their filestores: create, clone, drop. Used by the bootstrap, by tests and by benchmarks.

How to use, in a test: ``clone(os.environ["ACCOUNT_COLLECTION_BASE_DB"], "my_db")`` gives a copy of a database together
with its filestore, ``odoo("my_db", "-i", "account_collection")`` runs ``odoo-bin`` on it, ``drop("my_db")`` removes it.
The server is the one that PGHOST, PGPORT and PGUSER name; the filestore is in ACCOUNT_COLLECTION_DATA_DIR.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg2
from psycopg2 import sql


def filestore(name: str) -> Path:
    """Return the folder of a database's attachments."""
    return Path(os.environ["ACCOUNT_COLLECTION_DATA_DIR"], "filestore", name)


def execute(statement: str, *names: str, database: str = "postgres") -> None:
    """Run one statement outside a transaction; each ``{}`` in it takes a name, quoted."""
    connection = psycopg2.connect(dbname=database)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))
    finally:
        connection.close()


def rows(query: str, *parameters: object, database: str = "postgres") -> list[tuple]:
    """Run a query, or several statements, in one transaction and return the rows of the last one."""
    connection = psycopg2.connect(dbname=database)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def value(query: str, *parameters: object, database: str = "postgres") -> object:
    """Return the first column of a query's first row, or None without a row."""
    return next((row[0] for row in rows(query, *parameters, database=database)), None)


def exists(name: str) -> bool:
    """Tell whether the server has a database called ``name``."""
    return value("SELECT 1 FROM pg_database WHERE datname = %s", name) is not None


def create(name: str) -> None:
    """Create an empty database in the form that Odoo wants."""
    execute("CREATE DATABASE {} ENCODING 'unicode' LC_COLLATE 'C' TEMPLATE template0", name)


def disconnect(name: str) -> None:
    """End every session on a database, so that it can be copied, renamed or dropped."""
    value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s", name)


def drop(name: str) -> None:
    """Drop a database and its filestore, also while sessions are open on it; nothing happens when it is not there."""
    disconnect(name)
    execute("DROP DATABASE IF EXISTS {}", name)
    shutil.rmtree(filestore(name), ignore_errors=True)


def clone(template: str, name: str) -> None:
    """Make ``name`` a copy of ``template``, attachments included. Replaces an existing ``name``."""
    drop(name)
    disconnect(template)
    execute("CREATE DATABASE {} TEMPLATE {}", name, template)
    if filestore(template).is_dir():
        # Odoo never changes an attachment's file in place, so that links do instead of copies.
        shutil.copytree(filestore(template), filestore(name), copy_function=os.link)


def rename(name: str, new_name: str) -> None:
    """Rename a database and its filestore."""
    disconnect(name)
    execute("ALTER DATABASE {} RENAME TO {}", name, new_name)
    if filestore(name).is_dir():
        shutil.rmtree(filestore(new_name), ignore_errors=True)
        filestore(name).rename(filestore(new_name))


def module_state(name: str, module: str) -> str | None:
    """Return the state of a module in a database, as in "installed"."""
    return value("SELECT state FROM ir_module_module WHERE name = %s", module, database=name)


def odoo_command(name: str, *arguments: str) -> list[str]:
    """Return the command that runs Odoo on one database with the configuration of this series."""
    variables = os.environ
    binary, config = variables["ACCOUNT_COLLECTION_ODOO_BIN"], variables["ACCOUNT_COLLECTION_ODOO_RC"]
    words = list(arguments)
    command = [words.pop(0)] if words and not words[0].startswith("-") else []
    return [binary, *command, "-c", config, "-d", name, *words]


def odoo(
    name: str, *arguments: str, timeout: int = 600, env: Mapping[str, str] | None = None, **kwargs
) -> subprocess.CompletedProcess:
    """Run Odoo on one database to its end and return what it printed; a subcommand may come first ("shell").

    :raises subprocess.CalledProcessError: when it fails, :raises subprocess.TimeoutExpired: when it lasts too long
    """
    command = odoo_command(name, *arguments)
    if not arguments or arguments[0].startswith("-"):
        command += ["--stop-after-init", "--no-http", "--max-cron-threads=0"]
    return subprocess.run(
        command,
        check=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        env={**os.environ, **(env or {})},
        **kwargs,
    )


if __name__ == "__main__":
    result = globals()[sys.argv[1]](*sys.argv[2:])
    if result is not None:
        print(result)
