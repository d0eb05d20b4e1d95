"""The page of what changed between two gradings of a class, for staff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_mpgrade.report.pages.html import html_page
from pytest_mpgrade.report.result_changes import Change
from pytest_mpgrade.system.text import points

_MOST = 100
"""Questions or checks of one submission that are listed; a new version may change all of them."""


def diff_page(assignment: str, old: str, new: str, changes: Sequence[Change], number: int) -> str:
    """Return the page; *old* and *new* say which gradings, of which the new one has *number*."""
    values: dict[str, object] = {
        "assignment": assignment,
        "old": old,
        "new": new,
        "number": number,
        "changes": changes,
        "most": _MOST,
        "tiles": list(_tiles(changes, number)),
    }
    return html_page("diff.html", values, ("class.css",), ("table.js",))


def _tiles(changes: Sequence[Change], number: int) -> Iterator[tuple[str, str]]:
    """Yield what is counted, and the number."""
    known = [each.by for each in changes if each.by is not None]
    yield "submissions", str(number)
    yield "changed", str(len(changes))
    yield "with more points", str(sum(by > 0 for by in known))
    yield "with fewer points", str(sum(by < 0 for by in known))
    if known:
        yield "points on average", f"{'+' * (sum(known) > 0)}{points(sum(known) / len(known))}"
