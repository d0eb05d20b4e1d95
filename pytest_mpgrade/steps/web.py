"""Calls that get pages from the grader's web server."""

from __future__ import annotations

from dataclasses import replace

from pytest_mpgrade.inside.placeholders import Address
from pytest_mpgrade.records import Awaiting, Script, Step, WebPage
from pytest_mpgrade.steps.calls import OPEN, call


def fetch(
    function: str,
    *pages: WebPage,
    gates: Script = OPEN,
    awaited: Awaiting = "",
    **kwargs: object,
) -> Step:
    """Return a call of *function* with the addresses of pages, which the grader's web server has.

    Each request stands at the gate of its page, whose key is the path. The call is given a list.
    """
    addresses = [Address(page.path, refused=page.kind == "refused") for page in pages]
    words = f"{len(pages)} addresses"
    step = call(function, addresses, gates=gates, awaited=awaited, words=words, **kwargs)  # type: ignore[arg-type]  # - kwargs are the function's
    return replace(step, pages=tuple(page for page in pages if page.kind != "refused"))
