"""The port of the add-on's source from 17.0 to 19.0, mechanically, into a copy.

How to use: ``python -m tools.port SOURCE TARGET`` in the environment of 19.0. TARGET is replaced.

How it works: rules of our own first (XML through lxml, Python and JavaScript by text), because Odoo's official script
breaks one-line trees; then Odoo's ``migrate()``, on the copy only: its command line would rewrite Odoo's own add-ons.
``tools`` itself is copied as it is.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

from lxml import etree

FROM, TO = "17.0", "19.0"
# Models whose groups_id became group_ids.
GROUPED = re.compile(r"ir\.actions\.|ir\.ui\.(menu|view)$|res\.users$")
TREE_STEP = re.compile(r"(?<![\w@'\"-])tree(?=[\[/]|$)")
TREE_WORD = re.compile(r"\btree\b")


def _children(record: etree._Element, *names: str) -> list[etree._Element]:
    return [field for field in record.findall("field") if field.get("name") in names]


def _remove(element: etree._Element) -> None:
    """Remove an element and keep the text that follows it."""
    previous, parent = element.getprevious(), element.getparent()
    if element.tail and element.tail.strip():
        if previous is not None:
            previous.tail = (previous.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _port_groups(root: etree._Element) -> None:
    """Give each group a privilege in the place of its category, and rename its list of users."""
    made = set()
    for record in root.iter("record"):
        if record.get("model") != "res.groups":
            continue
        for field in _children(record, "users"):
            field.set("name", "user_ids")
        for field in _children(record, "category_id"):
            category = field.get("ref")
            privilege = f"{category.rpartition('.')[2]}_privilege"
            if privilege not in made:
                made.add(privilege)
                record.addprevious(_privilege(root, category, privilege))
            field.set("name", "privilege_id")
            field.set("ref", privilege)


def _privilege(root: etree._Element, category: str, name: str) -> etree._Element:
    label = "Rights"
    for record in root.iter("record"):
        if record.get("id") == category and _children(record, "name"):
            label = _children(record, "name")[0].text
    element = etree.Element("record", id=name, model="res.groups.privilege")
    etree.SubElement(element, "field", name="name").text = label
    etree.SubElement(element, "field", name="category_id", ref=category)
    element.tail = "\n    "
    return element


def _port_records(root: etree._Element) -> None:
    for record in root.iter("record"):
        model = record.get("model", "")
        if GROUPED.match(model):
            for field in _children(record, "groups_id"):
                field.set("name", "group_ids")
        if model == "ir.cron":
            for field in _children(record, "numbercall", "doall"):
                _remove(field)
        for field in _children(record, "view_mode", "binding_view_types"):
            field.text = TREE_WORD.sub("list", field.text or "")


def _port_lists(root: etree._Element) -> None:
    for element in root.iter(etree.Element):
        if element.tag == "tree":
            element.tag = "list"
        if element.get("expr"):
            element.set("expr", TREE_STEP.sub("list", element.get("expr")))
        for name in ("mode", "view_mode"):
            if element.get(name):
                element.set(name, TREE_WORD.sub("list", element.get(name)))
        if "tree_view_ref" in element.get("context", ""):
            element.set("context", element.get("context").replace("tree_view_ref", "list_view_ref"))


def _port_views(root: etree._Element) -> None:
    for group in list(root.iterfind(".//search//group")):
        for name in ("expand", "string"):
            group.attrib.pop(name, None)
    for template in root.iterfind(".//kanban//t[@t-name]"):
        new_name = {"kanban-box": "card", "kanban-menu": "menu"}.get(template.get("t-name"))
        if new_name:
            template.set("t-name", new_name)
            for element in template.iter(etree.Element):
                classes = [name for name in element.get("class", "").split() if not name.startswith("oe_kanban_")]
                if classes:
                    element.set("class", " ".join(classes))
                else:
                    element.attrib.pop("class", None)
    for element in list(root.iter("div")):
        if "oe_chatter" in element.get("class", "").split():
            chatter = etree.Element("chatter")
            chatter.tail = element.tail
            element.getparent().replace(element, chatter)


def port_xml(text: bytes) -> bytes:
    """Return an XML data file of 17.0 as 19.0 wants it.

    >>> print(port_xml(b'<odoo><record id="c" model="ir.cron"><field name="doall"/></record></odoo>').decode())
    <odoo><record id="c" model="ir.cron"/></odoo>
    >>> print(port_xml(b'<tree><xpath expr="//tree/field"/><div class="oe_chatter"><field/></div></tree>').decode())
    <list><xpath expr="//list/field"/><chatter/></list>
    """
    tree = etree.fromstring(text, etree.XMLParser(strip_cdata=False)).getroottree()
    root = tree.getroot()
    for rule in (_port_groups, _port_records, _port_lists, _port_views):
        rule(root)
    return etree.tostring(tree, encoding="utf-8", xml_declaration=text.startswith(b"<?xml"))


PYTHON_RULES = (
    (re.compile(r"^from odoo\.osv import expression$", re.MULTILINE), "from odoo.fields import Domain"),
    (re.compile(r"\bexpression\.(AND|OR)\b"), r"Domain.\1"),
    (re.compile(r"\bexpression\.(TRUE|FALSE)_DOMAIN\b"), r"Domain.\1"),
    (re.compile(r"\bexpression\.normalize_domain\("), "Domain("),
    (re.compile(r"\bgroups_id\b"), "group_ids"),
    (re.compile(r"\bgroup_operator="), "aggregator="),
    (re.compile(r"(\bgroup\w*|ref\((['\"])[\w.]*\bgroup_\w*\2\))\.users\b"), r"\1.user_ids"),
)
# Functions of odoo.tools.mail that odoo.tools itself no longer exports.
MAIL_TOOLS = {"append_content_to_html", "email_split_and_format", "email_split_tuples", "generate_tracking_message_id"}
TOOLS_IMPORT = re.compile(r"^from odoo\.tools import (?P<names>[\w, ]+)$", re.MULTILINE)
JAVASCRIPT_RULES = (
    (re.compile(r"@web_tour/tour_service/tour_utils"), "@web_tour/tour_utils"),
    (re.compile(r"^[ \t]*(?:test|isCheck): true,[ \t]*\n", re.MULTILINE), ""),
    (re.compile(r"\b(?:test|isCheck): true,\s*"), ""),
    (re.compile(r"(\brun: [\"'`])text "), r"\1edit "),
)
RPC_SERVICE = re.compile(r"^([ \t]*)(this\.\w+|const \w+) = useService\([\"']rpc[\"']\);[ \t]*\n", re.MULTILINE)


def port_python(text: str) -> str:
    """Return a Python file of 17.0 as 19.0 wants it.

    >>> port_python("user.groups_id; group_a.users; env.ref('x.group_b').users; expression.OR([a, b])")
    "user.group_ids; group_a.user_ids; env.ref('x.group_b').user_ids; Domain.OR([a, b])"
    >>> print(port_python("from odoo.tools import SQL, email_split_tuples"))
    from odoo.tools import SQL
    from odoo.tools.mail import email_split_tuples
    """
    for pattern, replacement in PYTHON_RULES:
        text = pattern.sub(replacement, text)
    return TOOLS_IMPORT.sub(_split_tools_import, text)


def _split_tools_import(found: re.Match) -> str:
    names = [name.strip() for name in found["names"].split(",")]
    kept = [name for name in names if name not in MAIL_TOOLS]
    moved = [name for name in names if name in MAIL_TOOLS]
    lines = [f"from odoo.tools import {', '.join(kept)}"] if kept else []
    return "\n".join([*lines, *([f"from odoo.tools.mail import {', '.join(moved)}"] if moved else [])])


def port_javascript(text: str) -> str:
    """Return a JavaScript module of 17.0 as 19.0 wants it.

    >>> print(port_javascript('registry.add("t", {test: true, steps: [{trigger: "a", run: "text 7"}]})'))
    registry.add("t", {steps: [{trigger: "a", run: "edit 7"}]})
    """
    for pattern, replacement in JAVASCRIPT_RULES:
        text = pattern.sub(replacement, text)
    if RPC_SERVICE.search(text):
        text = RPC_SERVICE.sub(lambda found: "" if "const rpc" in found[2] else f"{found[1]}{found[2]} = rpc;\n", text)
        text = text.replace(
            "/** @odoo-module **/\n", '/** @odoo-module **/\nimport { rpc } from "@web/core/network/rpc";\n', 1
        )
    return text


def port_manifest(text: str) -> str:
    """Return the manifest with the version of the new series: Odoo silently leaves out any other.

    >>> port_manifest('{"version": "17.0.1.2.3"}')
    '{"version": "19.0.1.2.3"}'
    """
    return re.sub(r"([\"'])17\.0\.(\d)", r"\g<1>19.0.\2", text)


def port_migrations(folder: Path) -> None:
    """Give each version's folder of scripts the name that it has in the new series: Odoo runs no other."""
    for version in sorted(folder.glob(f"{FROM}.*")):
        version.rename(version.with_name(version.name.replace(FROM, TO, 1)))


def _skipped(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name.startswith(".") or name in ("__pycache__", "node_modules")}


def port(source: Path, target: Path) -> None:
    """Replace ``target`` by the port of the add-on in ``source``."""
    from odoo.cli.upgrade_code import migrate
    from odoo.tools import parse_version

    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, ignore=_skipped)
    shutil.rmtree(target / "tools", ignore_errors=True)
    rules = {".py": port_python, ".js": port_javascript}
    for path in sorted(target.rglob("*")):
        if path.name == "__manifest__.py":
            path.write_text(port_manifest(path.read_text()))
        elif path.suffix == ".xml":
            path.write_bytes(port_xml(path.read_bytes()))
        elif path.suffix in rules and path.is_file():
            path.write_text(rules[path.suffix](path.read_text()))
    port_migrations(target / "migrations")
    migrate([str(target)], "**/*", parse_version(FROM), parse_version(TO))
    shutil.copytree(source / "tools", target / "tools", ignore=_skipped)


if __name__ == "__main__":
    port(Path(sys.argv[1]), Path(sys.argv[2]))
