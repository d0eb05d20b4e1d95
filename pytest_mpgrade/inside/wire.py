"""The types of requests to processes beside student code, and of what these processes report.

Nothing of this exists at run time, because every spawned worker would pay for an import. The grader
reads reports by types of its own; see run/client/answers.py.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypedDict

    class ChildStep(TypedDict):
        """What a child has to know of a step."""

        do: str
        function: str
        ours: bool
        args: tuple[object, ...]
        kwargs: dict[str, object]
        save: str
        opaque: bool
        via: Callable[..., object] | None
        keeps_processes: bool
        drop: tuple[str, ...]
        explored: tuple[int, tuple[str, ...]] | None  # the number of a round, and its holds
        awaited: str

    class ProcessRequest(TypedDict):
        """What both a child and a kernel have to know."""

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
        """What a process reports besides results."""

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
