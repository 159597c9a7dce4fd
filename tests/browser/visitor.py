"""A visitor of the phone in the browser: dials, clicks keys, reads captions. The pictures of the README use it too."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from tests.servers import RunningServer

PATIENCE = 45_000  # ms; that a machine does much else at the same time must not make a test fail
StartServer = Callable[[Mapping[str, str]], RunningServer]


def rehearsal(database: Path) -> dict[str, str]:
    """The environment of a rehearsal on this database file."""
    return {"DATABASE_URL": f"sqlite:///{database}"}


@dataclass
class Visitor:
    """Somebody with the phone's page open. `faults` are console errors, failed scripts and requests to strangers."""

    page: Page
    base_url: str
    faults: list[str] = field(default_factory=list)

    def opens(self, path: str = "/phone") -> Visitor:
        """Open the phone's page."""
        self.page.goto(self.base_url + path)
        return self

    def calls(self, from_: str | None = None, *, withheld: bool = False) -> Visitor:
        """Press Call; the page may still be dialling."""
        if from_:
            self.page.get_by_label("Call from this number").fill(from_)
        if withheld:
            self.page.get_by_label("Withhold my number").check()
        self.page.get_by_role("button", name="Call", exact=True).click()
        return self

    def clicks(self, *keys: str) -> Visitor:
        """Click these keys, each once it is the caller's turn."""
        for key in keys:
            self.listens()
            self.page.locator(f'[data-key="{key}"]').click()
        return self

    def types(self, *keys: str) -> Visitor:
        """Press these keys of the keyboard, each once the line has answered the last one."""
        for key in keys:
            self.reaches("speaking", "waiting")
            self.page.keyboard.press(key)
        return self

    def listens(self) -> Visitor:
        """Read all the words of this turn at once, until the line waits or the call is over."""
        self.reaches("speaking", "waiting", "ended")
        whole = self.page.locator("#whole")
        if whole.is_visible():
            whole.click(timeout=PATIENCE)
        return self.reaches("waiting", "ended")

    def reaches(self, *phases: str) -> Visitor:
        """Wait until the call is in one of these phases."""
        selector = ", ".join(f'body[data-phase="{phase}"]' for phase in phases)
        self.page.locator(selector).wait_for(timeout=PATIENCE)
        return self

    def says(self, words: str) -> Visitor:
        """Write what one would say."""
        self.listens()
        self.page.get_by_label("Say something").fill(words)
        self.page.get_by_role("button", name="Say it").click()
        return self

    def last_words(self, language: str) -> str:
        """What the line said last, in this language (nl-NL)."""
        self.listens()
        return self.page.locator(f'.line-says p[lang="{language}"]').last.inner_text()

    def team(self, name: str) -> str:
        """What the team sees under this name."""
        row = self.page.locator("#team dl > div", has=self.page.get_by_text(name, exact=True))
        return row.locator("dd").first.inner_text()

    def sees(self, text: str) -> Visitor:
        """Expect this text to be seen."""
        expect(self.page.get_by_text(text).last).to_be_visible()
        return self

    @property
    def width(self) -> int:
        """How wide the page is, in pixels; wider than the window means scrolling sideways."""
        width: int = self.page.evaluate("document.documentElement.scrollWidth")
        return width


@contextmanager
def visit(
    browser: Browser,
    base_url: str,
    *,
    width: int = 1280,
    height: int = 900,
    scheme: Literal["light", "dark"] = "light",
    scripts: bool = True,
    lax: bool = False,
    sharpness: float = 1,
) -> Iterator[Visitor]:
    """Let a visitor in, with a window of this size; `lax` lets a test put its own scripts into the page."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme=scheme,
        java_script_enabled=scripts,
        bypass_csp=lax,
        device_scale_factor=sharpness,
        reduced_motion="reduce",
    )
    page = context.new_page()
    visitor = Visitor(page, base_url)

    def notice(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            visitor.faults.append(f"{message.type}: {message.text}")

    def follow(request: Request) -> None:
        if not request.url.startswith((base_url, "blob:", "data:")):
            visitor.faults.append(f"foreign: {request.url}")

    page.on("console", notice)
    page.on("pageerror", lambda error: visitor.faults.append(str(error)))
    page.on("request", follow)
    try:
        yield visitor
    finally:
        context.close()
