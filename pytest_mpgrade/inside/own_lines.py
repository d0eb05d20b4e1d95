"""The lines of a submission as points, in all threads of a process.

`sys.monitoring` tells them where Python has it (3.12, PEP 669), else a trace function does. The
first costs nothing in code of others, and leaves ``sys.settrace`` to the submission.
"""

from __future__ import annotations

import dis
import os
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType
    from typing import Any

TOOL = 4
"""The number of the tool for `sys.monitoring`: one that is reserved for no known kind of tool."""
_SKIPPED = frozenset(("<module>", "__del__"))
"""Code that runs within an import or a collection of garbage, whose locks a hold would keep."""


class OwnLines:
    """Tells before each line of the submission, and before a line stores what it has read."""

    def __init__(self, own: Callable[[str], bool], come: Callable[[str], None]) -> None:
        self._own = own  # whether a file is the submission's
        self._come = come
        self._stores: dict[CodeType, dict[int, int]] = {}

    def in_new_threads(self) -> None:
        """Begin in each thread that starts from now on."""
        threading.settrace(self._called)

    def begin(self) -> None:
        """Begin in the calling thread."""
        sys.settrace(self._called)

    def end(self) -> None:
        """Tell no more of the calling thread."""
        sys.settrace(None)

    def _is_point(self, code: CodeType) -> bool:
        return code.co_name not in _SKIPPED and self._own(code.co_filename)

    def _stores_of(self, code: CodeType) -> dict[int, int]:
        if code not in self._stores:
            self._stores[code] = _reads_and_stores(code)
        return self._stores[code]

    def _called(self, frame: FrameType, _event: str, _value: object) -> Callable[..., Any] | None:
        if not self._is_point(frame.f_code):
            return None
        frame.f_trace_opcodes = bool(self._stores_of(frame.f_code))
        return self._ran

    def _ran(self, frame: FrameType, event: str, _value: object) -> Callable[..., Any]:
        if event == "line":
            self._line(frame.f_code, frame.f_lineno)
        elif event == "opcode":
            self._instruction(frame.f_code, frame.f_lasti)
        return self._ran

    def _line(self, code: CodeType, line: int) -> None:
        self._come(f"{os.path.basename(code.co_filename)}:{line}")

    def _instruction(self, code: CodeType, offset: int) -> None:
        line = self._stores_of(code).get(offset)
        if line is not None:
            self._come(f"{os.path.basename(code.co_filename)}:{line}~")


class MonitoredLines(OwnLines):
    """The same by `sys.monitoring`, which tells of all threads at once."""

    def __init__(self, own: Callable[[str], bool], come: Callable[[str], None]) -> None:
        super().__init__(own, come)
        self._begun = False
        self._left_out = 0  # the thread that has ended

    def in_new_threads(self) -> None:
        """Do nothing: they are told of like any other."""

    def begin(self) -> None:
        """Begin in this process, which knows by now which files are the submission's."""
        self._left_out = 0
        if self._begun:
            return
        self._begun = True
        monitoring = sys.monitoring  # type: ignore[attr-defined]  # - of Python 3.12
        if monitoring.get_tool(TOOL) is not None:
            return  # the submission has taken it: it is only explored less
        events = monitoring.events
        monitoring.use_tool_id(TOOL, "mpgrade")
        monitoring.register_callback(TOOL, events.PY_START, self._started)
        monitoring.register_callback(TOOL, events.LINE, self._line)
        monitoring.register_callback(TOOL, events.INSTRUCTION, self._instruction)
        monitoring.set_events(TOOL, events.PY_START)

    def end(self) -> None:
        """Tell no more of the calling thread."""
        self._left_out = threading.get_ident()

    def _started(self, code: CodeType, _offset: int) -> object:
        monitoring = sys.monitoring  # type: ignore[attr-defined]  # - of Python 3.12
        if self._is_point(code):
            events = monitoring.events
            stores = events.INSTRUCTION if self._stores_of(code) else 0
            monitoring.set_local_events(TOOL, code, events.LINE | stores)
        return monitoring.DISABLE

    def _line(self, code: CodeType, line: int) -> None:
        if threading.get_ident() != self._left_out:
            super()._line(code, line)

    def _instruction(self, code: CodeType, offset: int) -> None:
        if threading.get_ident() != self._left_out:
            super()._instruction(code, offset)


def own_lines(own: Callable[[str], bool], come: Callable[[str], None]) -> OwnLines:
    """Return what tells of lines in this version of Python."""
    monitored = sys.version_info >= (3, 12)
    return (MonitoredLines if monitored else OwnLines)(own, come)


def _reads_and_stores(code: CodeType) -> dict[int, int]:
    """Return the offsets at which a line that has read an attribute or an item stores one.

    Each comes with its line. ``counter.value += 1`` is such a line: another process may store in
    between.
    """
    found: dict[int, int] = {}
    read, line = False, code.co_firstlineno
    starts = dict(dis.findlinestarts(code))
    for each in dis.get_instructions(code):
        if starts.get(each.offset):
            read, line = False, starts[each.offset]
        if each.opname in ("LOAD_ATTR", "BINARY_SUBSCR") or each.argrepr == "[]":
            read = True
        elif each.opname in ("STORE_ATTR", "STORE_SUBSCR") and read:
            found[each.offset] = line
    return found
