"""``make i18n``: the template of the add-on's texts, exported by Odoo, and the translations that follow it.

The database is always new: records marked noupdate, such as mail templates, keep their old texts in any other.
"""

from __future__ import annotations

from . import console, instance, odoo_source, suite, workspace

TIMEOUT = 60


def update() -> int:
    """Export the texts, merge them into every translation, and tell what is left to translate; return the exit code.

    :raises ToolError: when the series that the add-on is written for cannot be had: another one's texts differ
    """
    with workspace.lock(workspace.state(), "test", wait=False):
        try:
            place = instance.get(odoo_source.SERIES[0], "test")
        except odoo_source.Unavailable as reason:
            raise console.ToolError(str(reason)) from None
        place.prepare(max_cron_threads=0)
        try:
            _merge(place, _exported(place))
        finally:
            place.server.stop()
    return 0


def _exported(place: instance.Instance) -> str:
    """Return the name of the file to which Odoo exported the texts of the newly installed add-on."""
    database = place.database("i18n")
    place.database_tool("clone", suite.base_database(place), database)
    without_demo = suite.without_demo(place.series)
    place.odoo(database, "-i", workspace.ADDON, *without_demo, label="install the add-on", log="i18n-install")
    place.require_installed(database)
    path = workspace.state() / f"{workspace.ADDON}.pot"
    place.odoo(
        database, f"--i18n-export={path}", f"--modules={workspace.ADDON}", label="export its texts", log="i18n-export"
    )
    place.database_tool("drop", database)
    return str(path)


def _merge(place: instance.Instance, exported: str) -> None:
    variables = {**place.variables(), "PYTHONPATH": str(workspace.CHECKOUT)}
    command = [place.environment.python, "-m", "tools.catalogues", exported, workspace.CHECKOUT / "i18n"]
    print(console.capture(command, timeout=TIMEOUT, env=variables, cwd=place.addons), end="")
