"""The forms of what goes down to a process beside student code, and of what it tells of itself:
types alone.

Nothing of this is there at run time: every spawned worker pays for an import. What comes up is read
by types of the grader's own; see run/client/answers.py.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class ChildStep(TypedDict):
        """What a child has to know of a step."""

        do: str
        function: str
        args: tuple[object, ...]
        kwargs: dict[str, object]
        save: str
        opaque: bool
        drop: tuple[str, ...]

    class ProcessRequest(TypedDict):
        """What a child and a kernel have to know."""

        folder: str
        start_method: str
        packages: list[str]
        prefix: str
        answers: str
        most_processes: int

    class ChildRequest(ProcessRequest):
        """What `inside.child` is asked for."""

        module: str
        functions: list[str]
        steps: list[ChildStep]

    class KernelRequest(ProcessRequest):
        """What `inside.notebook_kernel` is asked for."""

        connection: str

    class FactsTold(TypedDict):
        """What is told besides results."""

        set_start_method: list[str]
        side_effects: list[str]

    class FrameTold(TypedDict):
        """One line of a stack."""

        file: str
        line: int
        function: str
        own: bool

    class _ErrorTold(TypedDict):
        type: str
        message: str
        chain: list[str]
        frames: list[FrameTold]
        line: str

    class ErrorTold(_ErrorTold, total=False):
        """An exception, as text."""

        missing: str
