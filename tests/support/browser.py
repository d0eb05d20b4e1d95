"""A real browser that opens pages from the disk, and keeps all that it is asked for."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = (360, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SECONDS = 240
"""After which a page that is not there fails a test: the machine may be busy with other tests."""
NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Yield a browser; a machine without one fails, for these tests say what people see."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found, f"none of {', '.join(NAMES)} is installed: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, timeout=1000 * SECONDS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(kw_only=True)
class Opened:
    """A page that is open, what it has asked for besides itself, and what it complained of."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def opened(browser: Browser, path: Path, **options: Any) -> Iterator[Opened]:
    """Open a file; at the end nothing has been asked for, and nothing was complained of."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options)
    context.set_default_timeout(1000 * SECONDS)
    page = context.new_page()
    shown = Opened(page=page)
    page.on("request", lambda request: shown.requests.append(request.url))
    page.on("console", lambda message: shown.complaints.append(message.text))
    page.on("pageerror", lambda error: shown.complaints.append(str(error)))
    page.on("dialog", lambda dialog: shown.complaints.append(dialog.message))
    try:
        page.goto(path.as_uri())
        yield shown
    finally:
        context.close()
    assert all(url.startswith("file:") for url in shown.requests), shown.requests
    assert shown.complaints == []
