"""Where Odoo comes from: a ladder of four places, the first that works.

1. ``ODOO_SRC``, a source tree; 2. a tree already in the shared cache; 3. a shallow clone of Odoo's public
repository (17.0); 4. Debian's package ``odoo-19`` (19.0), unpacked into the cache, never installed.

How to use: ``find("17.0")`` returns an :class:`OdooSource` or raises :class:`Unavailable` with the reason.

How step 4 works: Debian keeps odoo-19 in its suite *sid*, so the mirror's address and keyring are taken from the
machine's own apt configuration, only the suite changes, and apt verifies signatures and checksums as always. Its lists
and cache are private folders: the machine's own packages are neither touched nor upgraded.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import console, workspace

SERIES = ("17.0", "19.0")
REPOSITORY = "https://github.com/odoo/odoo.git"
PROBE_TIMEOUT = 20
DOWNLOAD_TIMEOUT = 1200
# Debian's odoo-19 links to files of these packages; sid's are too new for it (Font Awesome 7 where 4.7 is expected).
LINKED_PACKAGES = (
    "fonts-font-awesome",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
)
# Debian removed this vendored file; without any file, pages log an error on the console, which fails browser tours.
SELFIE_STUB = "addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"


class Unavailable(console.ToolError):
    """The series cannot be had on this machine; the message says why."""


@dataclass(frozen=True)
class OdooSource:
    """An Odoo tree: ``root`` goes on PYTHONPATH, ``addons`` on the add-ons path, ``origin`` in what is printed."""

    series: str
    root: Path
    origin: str

    @property
    def addons(self) -> tuple[Path, ...]:
        """Add-on folders beside ``odoo/addons``, which Odoo finds by itself."""
        return tuple(path for path in (self.root / "addons",) if path.is_dir())

    @property
    def requirements(self) -> Path | None:
        path = self.root / "requirements.txt"
        return path if path.is_file() else None

    @property
    def version(self) -> str:
        """A text that changes when the tree does."""
        release = self.root / "odoo" / "release.py"
        return f"{self.root}:{release.stat().st_mtime_ns}"


def read_series(root: Path) -> str | None:
    """Return the series of the Odoo tree at ``root``, read from its release file, or None."""
    try:
        text = (root / "odoo" / "release.py").read_text()
    except OSError:
        return None
    found = re.search(r"^version_info = \((\d+), (\d+)", text, re.MULTILINE)
    return ".".join(found.groups()) if found else None


def find(series: str) -> OdooSource:
    """Return the first source of ``series`` on the ladder.

    :raises Unavailable: when no step has it
    :raises ToolError: when ODOO_SRC is set to something that is no Odoo of a supported series
    """
    source = _from_variable(series) or _from_cache(series)
    if not source:
        with workspace.lock(workspace.home(), f"odoo-{series}"):
            source = _from_cache(series) or (_from_git(series) if series == "17.0" else _from_debian(series))
    console.say(f"Odoo {source.series}, source: {source.origin}, in {source.root}")
    return source


def _from_variable(series: str) -> OdooSource | None:
    chosen = os.environ.get("ODOO_SRC")
    if not chosen:
        return None
    root = Path(chosen).expanduser().absolute()
    found = read_series(root)
    if found not in SERIES:
        raise console.ToolError(f"ODOO_SRC={root} holds {f'Odoo {found}' if found else 'no Odoo'}: need 17.0 or 19.0.")
    return OdooSource(series, root, "ODOO_SRC") if found == series else None


def _from_cache(series: str) -> OdooSource | None:
    tree = workspace.home() / f"odoo-{series}"
    for root, origin in ((tree, "cache"), (tree / "usr/lib/python3/dist-packages", "Debian package odoo-19, cached")):
        if read_series(root) == series:
            return OdooSource(series, root, origin)
    return None


def _from_git(series: str) -> OdooSource:
    if not shutil.which("git"):
        raise Unavailable(f"Odoo {series}: git is missing, so that its public repository cannot be cloned.")
    env = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        console.capture(
            ["git", "ls-remote", "--exit-code", REPOSITORY, f"refs/heads/{series}"], timeout=PROBE_TIMEOUT, env=env
        )
    except console.ToolError as error:
        raise Unavailable(
            f"Odoo {series}: its public repository does not answer ({error}). "
            f"Set ODOO_SRC to a source tree, or put one in {workspace.home()}/odoo-{series}."
        ) from None
    with tempfile.TemporaryDirectory(dir=workspace.home(), prefix="clone-") as folder:
        tree = Path(folder, "odoo")
        slow = ("-c", "http.lowSpeedLimit=1000", "-c", "http.lowSpeedTime=60")
        try:
            console.run(
                ["git", *slow, "clone", "--progress", "--depth", "1", "-b", series, REPOSITORY, tree],
                label=f"clone Odoo {series}",
                log=workspace.log_file(f"clone-{series}"),
                timeout=DOWNLOAD_TIMEOUT,
                env=env,
            )
        except console.ToolError as error:
            raise Unavailable(f"Odoo {series}: {error}") from None
        _move(tree, workspace.home() / f"odoo-{series}")
    source = _from_cache(series)
    return OdooSource(series, source.root, "git clone")


def _from_debian(series: str) -> OdooSource:
    try:
        archive = DebianArchive.of_this_machine()
        with tempfile.TemporaryDirectory(dir=workspace.home(), prefix="debian-") as folder:
            work = Path(folder)
            tree = work / "tree"
            archive.unpack("sid", ["odoo-19"], tree, work)
            archive.unpack("trixie", LINKED_PACKAGES, tree, work)
            _mend_debian_tree(tree)
            _move(tree, workspace.home() / f"odoo-{series}")
    except console.ToolError as error:
        raise Unavailable(f"Odoo {series}: Debian's package cannot be had: {error}") from None
    source = _from_cache(series)
    if not source:
        raise Unavailable(f"Odoo {series}: Debian's package odoo-19 holds another series.")
    return OdooSource(series, source.root, "Debian package odoo-19")


def _mend_debian_tree(tree: Path) -> None:
    packages = tree / "usr/lib/python3/dist-packages"
    shutil.rmtree(packages / "addons", ignore_errors=True)  # a copy of odoo/addons without its data files
    stub = packages / "odoo" / SELFIE_STUB
    if not stub.exists():
        stub.parent.mkdir(parents=True, exist_ok=True)
        stub.unlink(missing_ok=True)
        stub.write_text("// Empty on purpose: Debian's package leaves this library out.\n")
    for link in _links(packages / "odoo"):
        target = os.readlink(link)
        if target.startswith("/") and (tree / target[1:]).exists():
            link.unlink()
            link.symlink_to(os.path.relpath(tree / target[1:], link.parent))


def _links(folder: Path) -> Iterable[Path]:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink():
                yield path


def _move(tree: Path, target: Path) -> None:
    """Put a finished tree in its place in one rename, so that a tree in the cache is always whole."""
    if target.exists():
        shutil.rmtree(target)
    tree.rename(target)


@dataclass(frozen=True)
class DebianArchive:
    """The Debian archive as this machine's apt is set up to reach it."""

    address: str
    keyring: str | None

    @classmethod
    def of_this_machine(cls) -> DebianArchive:
        """:raises ToolError: when this machine has no apt set up for Debian"""
        for program in ("apt-get", "dpkg-deb"):
            if not shutil.which(program):
                raise console.ToolError(f"{program} is missing: this is no Debian machine.")
        release = _os_release()
        if release.get("ID") != "debian":
            raise console.ToolError(f"this machine's apt serves {release.get('ID', 'an unknown system')}, not Debian.")
        suites = {release.get("VERSION_CODENAME"), "stable", "testing", "unstable", "sid"}
        form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
        targets = console.capture(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], timeout=60)
        for line in targets.splitlines():
            address, suite, component = line.split()
            if suite in suites and component == "main":
                return cls(address, _keyring(address))
        raise console.ToolError("apt's sources name no main archive of Debian.")

    def unpack(self, suite: str, packages: Iterable[str], tree: Path, work: Path) -> None:
        """Download ``packages`` of ``suite`` with apt's verification and unpack them under ``tree``."""
        folder = work / suite
        for name in ("lists/partial", "cache/archives/partial", "debs", "parts"):
            (folder / name).mkdir(parents=True)
        signed = f"[signed-by={self.keyring}] " if self.keyring else ""
        (folder / "sources.list").write_text(f"deb {signed}{self.address} {suite} main\n")
        (folder / "status").touch()
        settings = {
            "Dir::Etc::SourceList": folder / "sources.list",
            "Dir::Etc::SourceParts": folder / "parts",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": folder / "parts",
            "Dir::State": folder,
            "Dir::State::Lists": folder / "lists",
            "Dir::State::Status": folder / "status",
            "Dir::Cache": folder / "cache",
            "APT::Sandbox::User": "root",
            "Acquire::Languages": "none",
            "Acquire::Retries": "1",
            "Acquire::http::Timeout": "30",
            "Acquire::https::Timeout": "30",
            "APT::Update::Error-Mode": "any",
        }
        options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        log = workspace.log_file(f"debian-{suite}")
        console.run(
            ["apt-get", *options, "update"], label=f"read Debian's list of {suite}", log=log, timeout=DOWNLOAD_TIMEOUT
        )
        console.run(
            ["apt-get", *options, "download", *packages],
            label=f"download {' '.join(packages)} of {suite}",
            log=log,
            timeout=DOWNLOAD_TIMEOUT,
            cwd=folder / "debs",
            append=True,
        )
        for package in sorted((folder / "debs").glob("*.deb")):
            console.run(
                ["dpkg-deb", "-x", package, tree], label=f"unpack {package.name}", log=log, timeout=600, append=True
            )
        shutil.rmtree(folder)


def _os_release() -> dict[str, str]:
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return {}
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in lines) if value}


def _keyring(address: str) -> str | None:
    """Return the keyring file that the machine's own sources name for ``address``, else Debian's, else None."""
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for source in sources:
        if not source.is_file():
            continue
        for stanza in source.read_text(errors="replace").split("\n\n" if source.suffix == ".sources" else "\n"):
            if address.rstrip("/") in stanza:
                found = re.search(r"^Signed-By:\s*(/\S+)|signed-by=(/[^\s\]]+)", stanza, re.MULTILINE | re.IGNORECASE)
                if found:
                    return found.group(1) or found.group(2)
    default = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    return str(default) if default.exists() else None
