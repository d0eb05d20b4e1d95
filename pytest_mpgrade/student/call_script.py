"""A play of a test as Python lines that repeat it without mpgrade.

They are a whole program: tasks as plain functions, a main gate, and the start method. `mpgrade
debug` runs this very text, so what it prints is what has been run. Only in front of the first line,
a comment, it has a statement by which it can ask where processes are.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.inside.placeholders import BareQueue, Lazily, Own, Saved, ThreadQueue
from pytest_mpgrade.records import Step
from pytest_mpgrade.student import plain_tasks

MOST_SHOWN = 2_000
"""Characters of a result that are printed: some calls return megabytes."""
SHORT = 60
"""Characters of an argument that stands in the call itself; a longer one gets a name and lines."""
IN_A_ROW = 6
"""From so many tasks on that differ by one number only, they are written as a comprehension."""

TRIES, PAUSE = 10, 0.2
"""How often a call that may have no answer yet is made again, and seconds before each."""
COMMENT = 76
"""Columns of a comment, for a terminal of 80."""
_SAVE = (
    "To repeat it, save these lines as a file and run that: under spawn and forkserver, functions"
    " have to be in a file."
)
_KEEP_STDIN = """\
def keep_stdin():
    sys.stdin = open(0, closefd=False)

multiprocessing.util._close_stdin = keep_stdin  # input() and pdb work in child processes too
"""
_BARE_QUEUE = """\
class BareQueue:
    def __init__(self, items):
        self.items = list(items)
    def get(self):
        return self.items.pop(0)
    def put(self, item):
        self.items.append(item)
"""


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """What a script repeats, and against which module."""

    about: str
    steps: tuple[Step, ...]
    start_method: str
    folder: str
    module: str
    packages: tuple[str, ...] = ()  # like multiprocessing, which the submission uses besides it


def lines_of(what: Repeated) -> str:
    """Return the program; raises UsageError for an argument that cannot be written down."""
    writer = _Writer(module=what.module)
    body = [line for step in what.steps for line in writer.lines(step)]
    modules, functions = plain_tasks.plain_sources(writer.tasks)
    imports = sorted({*modules, *writer.modules, "sys", "multiprocessing.util"})
    parts = [
        "\n".join(f"# {line}" for line in textwrap.wrap(f"{what.about} {_SAVE}", COMMENT)),
        "\n".join(f"import {name}" for name in (*imports, *what.packages)),
        f"sys.path.insert(0, {what.folder!r})\nimport {what.module}",
        _KEEP_STDIN.rstrip(),
        *([_BARE_QUEUE.rstrip()] if writer.bare else []),
        *functions,
    ]
    gate = [
        f"{name}.set_start_method({what.start_method!r}, force=True)"
        for name in ("multiprocessing", *what.packages)
    ]
    main = textwrap.indent("\n".join([*gate, *body]), "    ")
    return "\n\n".join([*parts, f'if __name__ == "__main__":\n{main}']) + "\n"


@dataclass(kw_only=True)
class _Writer:
    """Writes steps as lines, and notes what these lines need."""

    module: str
    tasks: dict[str, None] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    bare: bool = False
    results: set[str] = field(default_factory=set)  # names of results that there are by now
    _names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def lines(self, step: Step) -> Iterator[str]:
        """Yield the lines of a step; a pause at gates has none, since no task is held here."""
        if step.do == "drop":
            yield f"del {', '.join(step.drop)}"
        elif step.do == "call":
            self.results -= {f"{step.save}_result"}
            yield from self._call(step)

    def _call(self, step: Step) -> Iterator[str]:
        before: list[str] = []
        queues: list[str] = []
        given = [self._argument(arg, before, queues) for arg in step.args]
        given += [f"{name}={self._value(arg)}" for name, arg in step.kwargs.items()]
        call = f"{self.module}.{step.function}({', '.join(given)})"
        of = next((arg.name for arg in step.args if isinstance(arg, Saved)), "")
        name = step.save or (f"{of}_result" if of else "result")
        yield from before
        known = step.again is not None and name in self.results
        if not known:  # else an earlier call may have had the answer, since no task is held here
            yield f"{name} = {call}"
        self.results.add(name)
        if step.again is not None:
            self.modules.add("time")
            yield f"for _ in range({TRIES}):"
            yield f"    if {name} is None:"
            yield f"        time.sleep({PAUSE})"
            yield f"        {name} = {call}"
        yield f"print({step.function + '() returned'!r}, repr({name})[:{MOST_SHOWN}])"
        for queue in queues:
            yield f"print({queue.partition('.')[0] + ' holds'!r}, list({queue}))"

    def _argument(self, arg: object, before: list[str], queues: list[str]) -> str:
        """Return an argument; a long one has a name, and lines *before* the call."""
        if isinstance(arg, (ThreadQueue, BareQueue)):
            return self._queue(arg, before, queues)
        lazy = isinstance(arg, Lazily)
        items = list(arg.items) if isinstance(arg, Lazily) else arg
        text = self._list(items) if isinstance(items, list) else [self._value(items)]
        name = "tasks"
        if len(text) == 1 and len(text[0]) <= SHORT:
            name = text[0]
        else:
            before += [f"{name} = {text[0]}", *text[1:]]
        return f"(task for task in {name})" if lazy else name

    def _queue(self, arg: ThreadQueue | BareQueue, before: list[str], queues: list[str]) -> str:
        name = f"queue_{next(self._names)}"
        items = arg.items if isinstance(arg, ThreadQueue) else arg._items
        if isinstance(arg, BareQueue):
            self.bare = True
            before.append(f"{name} = BareQueue({self._value(list(items))})")
            queues.append(f"{name}.items")
            return name
        self.modules.add("queue")
        before.append(f"{name} = queue.Queue()")
        queues.append(f"{name}.queue")
        if items:
            before += [f"for item in {self._value(list(items))}:", f"    {name}.put(item)"]
        return name

    def _list(self, items: list[object]) -> list[str]:
        """Return a list as lines; tasks that differ by a number only are one comprehension."""
        whole = self._value(items)
        if len(whole) <= SHORT:
            return [whole]
        lines = ["["]
        for same in _rows(items):
            first = same[0]
            if len(same) < IN_A_ROW:
                lines += [f"    {self._value(each)}," for each in same]
                continue
            assert isinstance(first, tuple)
            func, (start, *rest) = first
            others = "".join(f", {self._value(each)}" for each in rest)
            task = f"({self._value(func)}, (i{others or ','}))"
            lines.append(f"    *({task} for i in range({start}, {start + len(same)})),")
        return [*lines, "]"]

    def _value(self, value: object) -> str:
        if isinstance(value, Own):
            return f"{self.module}.{value.name}"
        if isinstance(value, Saved):
            return value.name if value.item is None else f"{value.name}[{value.item}]"
        if plain_tasks.is_task(value):
            name = plain_tasks.name_of(value)
            self.tasks[name] = None
            return name
        if isinstance(value, (list, tuple)):
            inner = ", ".join(map(self._value, value))
            if isinstance(value, list):
                return f"[{inner}]"
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        if isinstance(value, Mapping):
            parts = (f"{self._value(key)}: {self._value(each)}" for key, each in value.items())
            return f"{{{', '.join(parts)}}}"
        return self._other(value)

    def _other(self, value: object) -> str:
        if callable(value):
            module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
            if module == "builtins":
                return str(name)
            if module and name.isidentifier():
                self.modules.add(str(module))
                return f"{module}.{name}"
        if isinstance(value, (str, bytes, int, float, complex, bool, type(None), range)):
            return repr(value)
        raise UsageError(f"an argument of the call cannot be written as Python: {value!r:.80}")


def _rows(items: Sequence[object]) -> Iterator[list[object]]:
    """Yield the items in groups of tasks of one function whose first argument counts up."""
    row: list[object] = []
    for item in items:
        if row and not _follows(row[-1], item):
            yield row
            row = []
        row.append(item)
    if row:
        yield row


def _follows(before: object, item: object) -> bool:
    one, other = _counted(before), _counted(item)
    if one is None or other is None:
        return False
    return (one.task, one.number + 1, one.rest) == (other.task, other.number, other.rest)


class _Counted(NamedTuple):
    """A task whose first argument is a number."""

    task: str
    number: int
    rest: tuple[object, ...]


def _counted(item: object) -> _Counted | None:
    """Return a task that may be one of a row that counts up; None for any other item."""
    if not (isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], tuple)):
        return None
    func, args = item
    if not (plain_tasks.is_task(func) and args and type(args[0]) is int):
        return None
    return _Counted(plain_tasks.name_of(func), args[0], args[1:])
