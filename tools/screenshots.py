"""Pictures of the add-on's screens for its page in the list of apps, taken from the running demo.

How to use: ``make demo``, then ``make screenshots``. The pictures go to ``static/description``.

How it works: headless Chromium, driven over its DevTools protocol, signs in as the administrator and opens each
screen of :data:`SCREENS`; the page itself is asked, through Odoo's own calls, for the records to show. Pictures are
reduced to the colours that they have, which keeps them small.
"""

from __future__ import annotations

import argparse
import base64
import io
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import websocket
from PIL import Image

from . import network, system, workspace

TARGET = workspace.CHECKOUT / "static" / "description"
WIDTH, HEIGHT = 1440, 900
PHONE = (390, 844)
SECONDS = 60
SETTLE = 1.2
"""Seconds that a page gets for fonts, images and animations once it shows what was waited for."""
COLOURS = 128
PDF_DPI = 90


@dataclass(frozen=True)
class Screen:
    """One picture.

    ``action`` is the external id of an action; ``model`` and ``domain`` (JavaScript) choose the record of a form,
    without which the action's ``view`` is shown. The picture is taken when ``shown``, a CSS selector, is there, after
    ``click`` was clicked and ``scroll`` scrolled into view.
    """

    name: str
    action: str
    view: str = "list"
    shown: str = ".o_data_row"
    model: str = ""
    domain: str = "[]"
    order: str = "id"
    click: str = ""
    scroll: str = ""
    size: tuple[int, int] = (WIDTH, HEIGHT)
    company: str = "company_mx"


DEBTOR = {
    "action": "account_collection.collection_debtor_action",
    "view": "form",
    "model": "collection.debtor",
    "domain": '[["company_id", "=", company], ["notice_ids", "!=", false], ["balance_ids", "!=", false]]',
    "order": "overdue desc",
    "shown": ".o_form_view .o_Chatter .o-mail-Message, .o_form_view .o-mail-Message, .o_form_view .o_data_row",
}
DASHBOARD = {"action": "account_collection.collection_dashboard_action", "shown": ".o_collection_tile"}
SCREENS = (
    Screen("dashboard", size=(WIDTH, 1500), **DASHBOARD),
    Screen("phone_dashboard", size=PHONE, **DASHBOARD),
    Screen(
        "day",
        "account_collection.collection_debtor_day_action",
        # The administrator collects nothing: of everybody.
        shown=".o_searchview_facet:nth-of-type(3)",
        click=".o_searchview_facet:nth-of-type(3) .o_facet_remove",
    ),
    Screen("debtors", "account_collection.collection_debtor_action"),
    Screen(
        "board",
        "account_collection.collection_debtor_action",
        "kanban",
        ".o_kanban_record",
        click=".o_facet_remove",
        size=(2640, 1080),
    ),
    Screen("debtor", **DEBTOR, size=(WIDTH, 1150)),
    Screen("runs", "account_collection.collection_run_action"),
    Screen(
        "proposal",
        "account_collection.collection_run_action",
        "form",
        ".o_form_view .o_data_row",
        "collection.run",
        '[["state", "=", "proposal"], ["company_id", "=", company]]',
        "id desc",
        company="company_us",
    ),
    Screen("notices", "account_collection.collection_notice_action"),
    Screen(
        "notice",
        "account_collection.collection_notice_action",
        "form",
        ".o_form_view .o_data_row",
        "collection.notice",
        '[["company_id", "=", company], ["state", "in", ["sent", "outgoing"]], ["channel", "=", "mail"]]',
        "date desc, amount_overdue desc",
        size=(WIDTH, 1000),
    ),
    Screen(
        "policy",
        "account_collection.collection_policy_action",
        "form",
        ".o_form_view .o_data_row",
        "collection.policy",
        order="id",
    ),
    Screen(
        "settings",
        "account_collection.res_config_settings_action",
        "form",
        "[name='collection_policy_id']",
        scroll="[name='collection_policy_id']",
    ),
    Screen(
        "invoice",
        "account.action_move_out_invoice_type",
        "form",
        ".o_form_view .o_data_row",
        "account.move",
        '[["company_id", "=", company], ["move_type", "=", "out_invoice"], ["collection_days_overdue", ">", 30]]',
        "invoice_date",
        size=(WIDTH, 1000),
    ),
    Screen(
        "customer",
        "account.res_partner_action_customer",
        "form",
        ".o_form_view .o_notebook",
        "res.partner",
        '[["collection_debtor_ids.overdue", ">", 0], ["collection_debtor_ids.company_id", "=", company]]',
        "id",
        click=".o_notebook .nav-link[name='collection']",
    ),
    Screen("reviews", "account_collection.account_move_review_action"),
    Screen(
        "review",
        "account_collection.account_move_review_action",
        "form",
        ".o_form_view .o_data_row",
        "account.move",
        '[["company_id", "=", company], ["collection_review_state", "=", "accepted"]]',
        "invoice_date desc",
        click=".o_notebook .nav-link[name='collection']",
    ),
    Screen(
        "review_report",
        "account_collection.collection_review_report_action",
        "pivot",
        ".o_pivot td",
    ),
    Screen("checks", "account_collection.account_postdated_check_action"),
    Screen(
        "cash_plan",
        "account_collection.collection_cash_plan_action",
        "graph",
        ".o_graph_canvas_container canvas",
    ),
    Screen(
        "campaign",
        "account_collection.collection_campaign_action",
        "form",
        ".o_form_view .o_notebook",
        "collection.campaign",
        '[["company_id", "=", company], ["state", "=", "scheduled"]]',
    ),
    Screen("letters", "account_collection.collection_letter_action"),
    Screen("campaign_calendar", "account_collection.collection_campaign_moment_action", "calendar", ".o_calendar_view"),
    Screen(
        "phone_debtors",
        "account_collection.collection_debtor_action",
        "kanban",
        ".o_kanban_record",
        scroll=".o_kanban_group:has(.o_kanban_record ~ .o_kanban_record ~ .o_kanban_record)",
        size=PHONE,
    ),
    Screen("phone_debtor", **DEBTOR, size=PHONE),
)


class Page:
    """A tab of a headless Chromium."""

    def __init__(self, address: str) -> None:
        self.socket = websocket.create_connection(address, timeout=SECONDS, suppress_origin=True)
        self.numbers = itertools.count(1)

    def call(self, method: str, **parameters: object) -> dict:
        """Call a method of the DevTools protocol and return its result.

        :raises RuntimeError: when Chromium answers with an error
        """
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]

    def run(self, script: str) -> object:
        """Run JavaScript and return its value, awaited."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails'].get('exception', {}).get('description')}")
        return result["result"].get("value")

    def wait_for(self, selector: str) -> None:
        """Wait until something matches a CSS selector.

        :raises TimeoutError: when nothing does in time
        """
        script = f"!!document.querySelector({json.dumps(selector)})"
        if not network.wait(lambda: self.run(script), seconds=SECONDS):
            raise TimeoutError(f"{selector} does not appear on {self.run('location.href')}")

    def resize(self, size: tuple[int, int]) -> None:
        width, height = size
        phone = size == PHONE
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.call("Emulation.setTouchEmulationEnabled", enabled=phone)

    def open(self, url: str) -> None:
        """Open a page from scratch: a new fragment alone would not load it again."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)

    def picture(self) -> bytes:
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])


@contextmanager
def browser() -> Iterator[Page]:
    """Start Chromium, yield its tab, end it."""
    program = next(filter(None, map(shutil.which, system.CHROMIUM.commands)))
    with tempfile.TemporaryDirectory() as folder:
        words = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-first-run",
            "--no-proxy-server",
        ]
        words += ["--remote-debugging-port=0", f"--user-data-dir={folder}", "--lang=en-US", "about:blank"]
        process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            note = Path(folder, "DevToolsActivePort")
            if not network.wait(lambda: note.exists() and len(note.read_text().split()) == 2, seconds=SECONDS):
                raise TimeoutError("Chromium does not start.")
            port = note.read_text().split()[0]
            yield Page(_tab(f"http://{network.HOST}:{port}"))
        finally:
            process.terminate()
            process.wait(10)
            # Its children may still write into the folder for a moment.
            time.sleep(1)


def _tab(address: str) -> str:
    import urllib.request

    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{address}/json/list", timeout=SECONDS) as response:
        tabs = json.load(response)
    return next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page")


class Demo:
    """The running demo, signed in as its administrator."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        page.resize((WIDTH, HEIGHT))
        page.open(f"{url}/web/login")
        page.wait_for("input[name=login]")
        page.run(
            """document.querySelector("input[name=login]").value = "admin";
               document.querySelector("input[name=password]").value = "admin";
               document.querySelector("form.oe_login_form").submit()"""
        )
        page.wait_for(".o_web_client .o_main_navbar")

    def call(self, model: str, method: str, *arguments: str) -> object:
        """Call a method of a model; the arguments are JavaScript."""
        params = f'{{model: "{model}", method: "{method}", args: [{", ".join(arguments)}], kwargs: {{}}}}'
        answer = self.page.run(
            f"""fetch("/web/dataset/call_kw", {{method: "POST", headers: {{"Content-Type": "application/json"}},
                  body: JSON.stringify({{jsonrpc: "2.0", params: {params}}})}}).then(answer => answer.json())"""
        )
        if "error" in answer:
            raise RuntimeError(answer["error"]["data"]["message"])
        return answer["result"]

    def company(self, name: str) -> int:
        """Return the id of a company of the demo."""
        domain = f'[["module", "=", "collection_demo"], ["name", "=", "{name}"]]'
        return self.call("ir.model.data", "search_read", domain, '["res_id"]')[0]["res_id"]

    def take(self, screen: Screen) -> bytes:
        """Return the picture of a screen."""
        company = self.company(screen.company)
        address = f"{self.url}/web#action={screen.action}&view_type={screen.view}&cids={company}"
        if screen.model:
            domain = screen.domain.replace("company]", f"{company}]")
            found = self.call(screen.model, "search_read", domain, '["id"]', "0", "1", f'"{screen.order}"')
            if not found:
                raise LookupError(f"{screen.name}: the demo has no such {screen.model}")
            address += f"&model={screen.model}&id={found[0]['id']}"
        self.page.resize(screen.size)
        self.page.open(address)
        self.page.wait_for(screen.shown)
        if screen.click:
            self.page.wait_for(screen.click)
            self.page.run(f"document.querySelector({json.dumps(screen.click)}).click()")
        if screen.scroll:
            self.page.wait_for(screen.scroll)
            self.page.run(f"document.querySelector({json.dumps(screen.scroll)}).scrollIntoView({{block: 'center'}})")
        time.sleep(SETTLE)
        return self.page.picture()

    def statement(self) -> bytes:
        """Return the first page of the statement of the debtor of the form's picture, as a picture."""
        company = self.company("company_mx")
        domain = DEBTOR["domain"].replace("company]", f"{company}]")
        found = self.call("collection.debtor", "search_read", domain, '["id"]', "0", "1", '"overdue desc"')
        address = f"/report/pdf/account_collection.report_statement/{found[0]['id']}"
        content = self.page.run(
            f"""fetch("{address}").then(answer => answer.blob()).then(blob => new Promise(done => {{
                  const reader = new FileReader(); reader.onload = () => done(reader.result.split(",")[1]);
                  reader.readAsDataURL(blob)}}))"""
        )
        words = ["pdftoppm", "-png", "-r", str(PDF_DPI), "-f", "1", "-l", "1", "-singlefile", "-"]
        return subprocess.run(
            words, input=base64.b64decode(content), capture_output=True, check=True, timeout=60
        ).stdout


def save(name: str, picture: bytes) -> None:
    """Write a picture with no more colours than it needs."""
    path = TARGET / f"{name}.png"
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(
        f"{path.relative_to(workspace.CHECKOUT)}  {image.width} x {image.height}  {path.stat().st_size / 1024:.0f} KB"
    )


def main(arguments: list[str]) -> int:
    """Take the pictures that are named, or all."""
    parser = argparse.ArgumentParser(prog="tools.screenshots", description=__doc__.splitlines()[0])
    parser.add_argument("url", help="where the demo is served")
    parser.add_argument("names", nargs="*", help="pictures to take; all when none is named")
    options = parser.parse_args(arguments)
    TARGET.mkdir(parents=True, exist_ok=True)
    with browser() as page:
        demo = Demo(page, options.url)
        for screen in SCREENS:
            if not options.names or screen.name in options.names:
                save(screen.name, demo.take(screen))
        if not options.names or "statement" in options.names:
            save("statement", demo.statement())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
