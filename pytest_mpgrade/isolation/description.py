"""The isolation of a grading in words: what it lacks, what follows from that, and what helps.

The plugin reads this (header, `result.json`), and so does `mpgrade doctor`. SECURITY.md says the
same at more length.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_mpgrade.isolation.choose import SIGNALS_ABI, kernel_note
from pytest_mpgrade.isolation.layer import Isolation


@dataclass(frozen=True, kw_only=True)
class Shortcoming:
    """Something that this machine lacks."""

    name: str
    consequence: str
    remedy: str = ""

    @property
    def text(self) -> str:
        """The shortcoming in one line."""
        return f"{self.name}: {self.consequence}" + (f"; {self.remedy}" if self.remedy else "")


def shortcomings(isolation: Isolation, observer: str = "ptrace") -> Iterator[Shortcoming]:
    """Yield what is missing under this isolation and observer, the gravest first."""
    if not sys.platform.startswith("linux"):
        yield Shortcoming(
            name="isolation",
            consequence=(
                f"practice mode on {sys.platform}: behaviour is checked, isolation and leaks"
                " are not"
            ),
            remedy="the official grade comes from Linux",
        )
        return
    if isolation.level == "none":
        yield _NONE
    elif isolation.level == "landlock-files":
        yield _FILES_ONLY
    if isolation.spare_uid and not (isolation.bwrap or isolation.landlock):
        yield _READABLE
    if not isolation.bwrap and isolation.level != "none":
        note = kernel_note()
        yield Shortcoming(
            name="namespaces",
            consequence=(
                f"{note or 'there are none'}: processes see those of others, and share /dev/shm"
                " with them"
            ),
            remedy=(
                "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
                if "Ubuntu" in note
                else ""
            ),
        )
    if observer not in ("auto", "ptrace"):
        yield Shortcoming(
            name="ptrace",
            consequence=(
                f"processes are watched by {observer}: short ones may be missed, and how they end"
                " is not seen"
            ),
        )


_NONE = Shortcoming(
    name="isolation",
    consequence=(
        "student code runs with your own rights and could read or disturb the grader; results are"
        " advisory"
    ),
    remedy="install bubblewrap, or run as root in a container",
)
_FILES_ONLY = Shortcoming(
    name="signals",
    consequence=(
        "this kernel's Landlock keeps files apart but not signals: a submission that kills its"
        " parent ends the run with no points; nothing is left running"
    ),
    remedy=f"a kernel with Landlock ABI {SIGNALS_ABI} (Linux 6.12), or bubblewrap",
)
_READABLE = Shortcoming(
    name="files",
    consequence="student code can read what every user may read: tests and expected values too",
    remedy="keep the assignment and the reference readable by root only, or install bubblewrap",
)


def as_json(isolation: Isolation, observer: str) -> dict[str, object]:
    """Return what `result.json` says of the isolation; see docs/contract.md, result-file."""
    return {
        "level": isolation.level,
        "parts": list(isolation.parts),
        "missing": [each.text for each in shortcomings(isolation, observer)],
        "fell_through": list(isolation.fell_through),
    }


def header(isolation: Isolation) -> str:
    """Return what pytest's header says of the isolation, in a few lines."""
    parts = f" ({', '.join(isolation.parts)})" if isolation.parts else ""
    lines = [f"isolation: {isolation.level}{parts}"]
    lines += [f"  not used: {why}" for why in isolation.fell_through]
    lines += [f"  missing: {each.text}" for each in shortcomings(isolation)]
    return "\n".join(lines)


def refusal(isolation: Isolation) -> str:
    """Return why no points are awarded where isolation is required; "" where there is isolation."""
    if isolation.level != "none":
        return ""
    tried = "; ".join(isolation.fell_through) or "none was asked for"
    return (
        f"isolation is required, and there is none here ({tried}); install bubblewrap or run as"
        " root, or grade without by --no-require-isolation"
    )
