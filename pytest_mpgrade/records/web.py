"""Pages that the grader's own web server has for a call; part of the records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

WebPageKind = Literal["answer", "slow", "late", "redirect", "reset", "refused"]
"""What comes of a request: an answer; one whose body comes in pieces; one whose body comes when its
gate opens, and its head before; one that leads to another page; a connection that is reset; no
connection at all.
"""


@dataclass(frozen=True, kw_only=True)
class WebPage:
    """A page of the server, by the path of its address."""

    path: str
    kind: WebPageKind = "answer"
    status: int = 200
    body: str = ""  # of a redirect: the path that it leads to
