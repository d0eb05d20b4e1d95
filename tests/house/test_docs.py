"""README and the pages of `docs/`: what code cites is there, and no link leads nowhere."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pytest_mpgrade.judge import speedup_statistics
from pytest_mpgrade.records import RESULT_SCHEMA, Concern, Outcome, SpeedRules
from pytest_mpgrade.report.parts import CheckPart, ResultFile
from pytest_mpgrade.run.observe import quiescence
from support.running import ROOT

PAGES = sorted((ROOT / "docs").rglob("*.md"))
LINKING = [ROOT / "README.md", ROOT / "SECURITY.md", *PAGES]
CITING = sorted(
    path
    for folder in ("pytest_mpgrade", "tests", "assignments", "benchmarks")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in (".py", ".toml", ".md") and "__pycache__" not in path.parts
)
CITATION = re.compile(r"(?<![\w/])docs/(?P<page>[\w/-]+\.md)(?:(?:#|,\s+)(?P<anchor>[\w-]+))?")
"""As in docs/contract.md, points: a page, and a heading of it by its anchor.

A folder before it is another's `docs`.
"""
LINK = re.compile(r"\]\((?P<target>[^)\s]+)\)")


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as GitHub and MkDocs both make them of plain
    words.
    """
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    found = re.findall(r"^#+\s+(.+?)\s*$", text, flags=re.MULTILINE)
    return frozenset(
        re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in found
    )


def missing(page: Path, anchor: str) -> bool:
    """Tell whether a page, or an anchor in it, is not there; "" for the page alone."""
    return not page.is_file() or (bool(anchor) and anchor not in anchors(page))


def citations(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the pages that a file cites, each with its anchor, or "" where there is none."""
    for found in CITATION.finditer(path.read_text("utf-8", errors="replace")):
        yield found["page"], found["anchor"] or ""


def test_citations_resolve() -> None:
    """Every page of docs that code, tests and assignments cite is there, with the heading that they
    name.
    """
    found = [(path, page, anchor) for path in CITING for page, anchor in citations(path)]
    assert len(found) >= 20
    wrong = [
        (path.name, page, anchor)
        for path, page, anchor in found
        if missing(ROOT / "docs" / page, anchor)
    ]
    assert wrong == []


@pytest.mark.parametrize("page", LINKING, ids=lambda path: path.name)
def test_links_resolve(page: Path) -> None:
    """Every relative link of a page leads to a file that is there, and to a heading where it names
    one.
    """
    targets = [found["target"] for found in LINK.finditer(page.read_text("utf-8"))]
    wrong = []
    for target in targets:
        name, _, anchor = target.partition("#")
        if ":" not in name and missing(page.parent / name if name else page, anchor):
            wrong.append(target)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_files_are_there(page: Path) -> None:
    """Every file and folder of the repository that a page names is there."""
    folders = "pytest_mpgrade|tests|benchmarks|assignments|reference"
    named = re.findall(rf"`((?:{folders})/[^`\s]*)`", page.read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


MODULE = r"pytest_mpgrade(?:\.[A-Za-z_]\w*)*"
NAMED = re.compile(
    rf"(?<![\w/.-])(?:from (?P<of>{MODULE}) import (?P<name>\w+)|(?P<path>{MODULE}))(?![\w/-])"
)
INVENTED = {"pytest_mpgrade.x"}
"""The name that a test gives itself where it acts as a module of the package."""


def is_there(path: str) -> bool:
    """Tell whether a dotted path leads to a module of the package, or to a name in one."""
    above, _, name = path.rpartition(".")
    try:
        importlib.import_module(path)
    except ImportError:
        # Within TYPE_CHECKING a class is only in the text of its module.
        return bool(above) and is_there(above) and _has(above, name)
    return True


def _has(module: str, name: str) -> bool:
    found = importlib.import_module(module)
    return hasattr(found, name) or f"class {name}(" in inspect.getsource(found)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("from pytest_mpgrade.run.client import supervisor_pool", False),
        ("from pytest_mpgrade.run." + "no_such_module import servers", True),
        ("python -m pytest_mpgrade.inside" + ".no_such_module", True),
        ("python -m pytest_mpgrade.cli", False),
    ],
)
def test_wrong_names_are_seen(text: str, wrong: bool) -> None:
    """A module that has been renamed is seen wherever its name stands, in a text too."""
    assert (dead_names(text) != []) is wrong


def dead_names(text: str) -> list[str]:
    """Return what a text names of the package that is not there."""
    named = {
        found["path"] or f"{found['of']}.{found['name']}" for found in NAMED.finditer(text)
    } - INVENTED
    return sorted(name for name in named if not is_there(name.removesuffix(".py")))


def test_names_of_modules_are_there() -> None:
    """Programs within texts, command lines and pages name only modules of the package that are
    there; neither an import nor a type checker looks into a text.
    """
    texts = {path: path.read_text("utf-8", errors="replace") for path in [*CITING, *LINKING]}
    found = {path.name: dead_names(text) for path, text in texts.items()}
    assert {name: names for name, names in found.items() if names} == {}


def test_anchors_are_unique() -> None:
    """No two headings of a page have the same anchor, which would be numbered, and differently by
    each renderer.
    """
    for page in PAGES:
        headings = re.findall(r"^#+\s", page.read_text("utf-8"), flags=re.MULTILINE)
        assert len(headings) == len(anchors(page)), page.name


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("contract.md, points", False),
        ("contract.md#points", False),
        ("contract.md,\n    points.", False),
        ("contract.md. The rest", False),
        ("contract.md, no-such-heading", True),
        ("no_such_page.md", True),
    ],
)
def test_wrong_citations_are_seen(text: str, wrong: bool, tmp_path: Path) -> None:
    """A citation of a page or a heading that is not there is told from those that resolve."""
    (tmp_path / "cites.py").write_text(f"see docs/{text}")
    ((page, anchor),) = citations(tmp_path / "cites.py")
    assert missing(ROOT / "docs" / page, anchor) is wrong


# --- what pages say of the code


def page(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / "docs" / name).read_text("utf-8")


def test_contract_names_everything() -> None:
    """The contract names each concern, each outcome, and each key of a result file and of its
    checks.
    """
    keys = [each.name for part in (ResultFile, CheckPart) for each in dataclasses.fields(part)]
    words = [RESULT_SCHEMA, *map(str, Concern), *map(str, Outcome), *keys]
    assert [
        word
        for word in words
        if not re.search(rf"`[^`\n]*\b{re.escape(word)}\b[^`\n]*`", page("contract.md"))
    ] == []


def test_constants_of_quiescence() -> None:
    """The page on gates has the constants of the rules as the code has them, and all of them."""
    told = {
        name: float(value)
        for name, value in re.findall(r"`([A-Z_]+)` = ([\d.]+\b)(?! %)", page("gates.md"))
    }
    told |= {
        name: float(value) / 100
        for name, value in re.findall(r"`([A-Z_]+)` = ([\d.]+) %", page("gates.md"))
    }
    known = {
        name: value
        for name, value in vars(quiescence).items()
        if name.isupper() and name != "PERIOD"
    }
    assert told == known


def test_constants_of_timing() -> None:
    """The page on timing has the rules of speed and the least numbers of pairs as the code has
    them.
    """
    rules = SpeedRules()
    known = {name: getattr(rules, name) for name in ("free", "lost", "starting_seconds")}
    known |= {
        name: getattr(speedup_statistics, name) for name in ("ENOUGH_TO_TAKE", "ENOUGH_TO_GIVE")
    }
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+)", page("timing.md"), flags=re.MULTILINE))
    assert {name: float(value) for name, value in told.items()} == known
    assert f"| `pairs`, `seconds` | {rules.pairs}, {rules.seconds:g} s |" in page("timing.md")
