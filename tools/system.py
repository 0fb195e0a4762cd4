"""Programs and fonts that come from the machine's own packages."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import console, workspace

APT_TIMEOUT = 900


@dataclass(frozen=True)
class Need:
    """One thing needed: any of ``commands`` on the path or any of ``files`` on disk; else ``package`` is missing."""

    package: str
    commands: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def met(self) -> bool:
        return any(map(shutil.which, self.commands)) or any(Path(name).exists() for name in self.files)


WKHTMLTOPDF = Need("wkhtmltopdf", commands=("wkhtmltopdf",))
DEJAVU = Need(
    "fonts-dejavu-core",
    files=("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "/usr/share/fonts/TTF/DejaVuSans.ttf"),
)
CHROMIUM = Need("chromium", commands=("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"))
POPPLER = Need("poppler-utils", commands=("pdftoppm",))
PDF = (WKHTMLTOPDF, DEJAVU)
BROWSER = (CHROMIUM,)


def ensure(*needs: Need) -> None:
    """Install what is missing when root on a machine with apt, else name it in one line.

    :raises ToolError: when something stays missing
    """
    missing = [need.package for need in needs if not need.met()]
    if not missing:
        return
    names = " ".join(missing)
    if os.getuid() or not shutil.which("apt-get"):
        raise console.ToolError(f"these packages are missing: {names}. As root: apt-get install {names}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    log = workspace.log_file("apt")
    options = ("-o", "Acquire::http::Timeout=30", "-o", "Acquire::https::Timeout=30", "-o", "Acquire::Retries=1")
    with workspace.lock(workspace.home(), "apt"):
        console.run(["apt-get", *options, "update"], label="refresh apt's lists", log=log, timeout=APT_TIMEOUT, env=env)
        console.run(
            [
                "apt-get",
                *options,
                "-o",
                "DPkg::Lock::Timeout=300",
                "install",
                "-y",
                "--no-install-recommends",
                *missing,
            ],
            label=f"install {names}",
            log=log,
            timeout=APT_TIMEOUT,
            env=env,
            append=True,
        )
    still = [need.package for need in needs if not need.met()]
    if still:
        raise console.ToolError(f"apt installed no working {' '.join(still)}: see {log}")
