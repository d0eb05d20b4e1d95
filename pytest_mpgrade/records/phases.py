"""How waits end, rules of quiescence, and the phases of a run; part of the records."""

from __future__ import annotations

from typing import Literal

from pytest_mpgrade.records.outcomes import StrEnum

WaitEnd = Literal["yes", "back", "dead", "late", "over", "quiet"]
"""How a wait ended.

"yes": what was waited for has come; "back": the calling thread waits for the supervisor; "dead":
the calling process has ended; "late": the time limit came; "over": another limit was gone over;
"quiet": the tree is quiescent.
"""

QuiescenceRule = Literal["", "proof", "steady", "still", "the caller spins", "the caller polls"]
"""By which rule a tree is quiescent, "" where it is not; see run/observe/quiescence.py."""

ProcessState = Literal["alive", "zombie", "gone"]


class Phase(StrEnum):
    """The part of a run in which it ended, as its reason words it."""

    BEFORE_IMPORT = "before the submission was imported"
    IMPORT = "while the module was imported"
    BEFORE_CALL = "before it was called"
    CALL = ""
    AFTER_RETURN = "after the call had returned"
    BEFORE_KERNEL = "before the kernel was ready"
    KERNEL_START = "while the kernel started"
