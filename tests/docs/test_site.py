"""The site is built without a warning, and none of its links leads nowhere; nothing is fetched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from filelock import FileLock

from support.running import ROOT, variables


class _Page(HTMLParser):
    """The places of a page, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.places.add(value)
            elif name in ("href", "src") and value and tag != "base":
                self.links.append(value)


@cache
def _read(path: Path) -> _Page:
    return _Page(path.read_text("utf-8"))


def dead_links(site: Path) -> Iterator[tuple[str, str]]:
    """Yield each page with a link that leads to no file, or to no place in it."""
    for path in sorted(site.rglob("*.html")):
        for link in _read(path).links:
            target, place = urldefrag(link)
            if ":" in target or target.startswith("//"):
                continue
            file = (path.parent / unquote(target).partition("?")[0]) if target else path
            file = file / "index.html" if file.is_dir() else file
            known = file.is_file() and (
                not place or file.suffix != ".html" or unquote(place) in _read(file).places
            )
            if not known:
                yield path.relative_to(site).as_posix(), link


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it; all workers of pytest-xdist build it once."""
    base = tmp_path_factory.getbasetemp()
    out = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "site"
    with FileLock(f"{out}.lock"):
        if not (out / "searchindex.js").exists():  # which Sphinx writes last
            _build(out)
    return out


def _build(out: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "docs", out],
        cwd=ROOT,
        env=variables(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_no_link_is_dead(site: Path) -> None:
    """Every link within the site leads to a page, and to a place in it where it names one."""
    assert [*dead_links(site)] == []


def test_every_page_can_be_reached(site: Path) -> None:
    """Every page of `docs/` is in the site, and its index leads to it."""
    index = (site / "index.html").read_text("utf-8")
    pages = {
        path.relative_to(ROOT / "docs").with_suffix(".html").as_posix()
        for path in (ROOT / "docs").rglob("*.md")
    }
    assert len(pages) > 40
    assert {page for page in pages - {"index.html"} if f'href="{page}"' not in index} == set()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """A page loads scripts, styles and pictures from the site alone, so that it is read offline."""
    for path in site.rglob("*.html"):
        text = path.read_text("utf-8")
        assert 'src="http' not in text, path
        assert 'rel="stylesheet" href="http' not in text, path


def test_dead_links_are_seen(tmp_path: Path) -> None:
    """A link to a page or a place that is not there is found, and one to a place that is, not."""
    (tmp_path / "a.html").write_text('<a href="b.html#x">1</a><a href="b.html#y">2</a>')
    (tmp_path / "b.html").write_text('<p id="x"><a href="c.html">3</a><a href="#x">4</a>')
    assert [*dead_links(tmp_path)] == [("a.html", "b.html#y"), ("b.html", "c.html")]


def test_commands_of_the_program_are_on_their_page(site: Path) -> None:
    """The page of commands has every command and option that the parsers have."""
    page = (site / "reference" / "commands.html").read_text("utf-8")
    for name in ("batch", "starter", "--gradebook-column", "--slurm-array", "--only-cause"):
        assert name in page
