"""The function that a new assignment asks for, with arguments to call it with.

Everything is read by syntax: a signature and an example are text that a user has typed.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_mpgrade.course.signature import signature
from pytest_mpgrade.errors import UsageError

PROCESSES = 3
"""How many processes the tests ask for: more than most defaults, and not the number of cores."""
FIXED = 2
"""How many a function has to use that has no parameter for their number."""
_COUNTS = re.compile(
    r"(n|num|number_of|max)?_?(process(es)?|procs?|workers?|jobs?|children|cores|cpus?)(_count)?"
)
_TEXTS = re.compile(
    r".*(words|texts|lines|strings|sentences|names|documents|docs|titles|paths|files|urls)"
)
_NUMBERS = re.compile(r"x|xs|y|data|seq|sequence|iterable|a|arr|array|\w+s")
_ONE_NUMBER = re.compile(r"n|k|m|\w*(size|seed|count|power|exponent|factor|limit|times|width)")
_EXAMPLES = (
    (_ONE_NUMBER, 3),
    (_TEXTS, ["to be", "or not", "to be, that is", "the question", "whether", "tis nobler", "in"]),
    (_NUMBERS, [7, -2, 11, 5, 8, 3, -6]),
)
"""Example arguments for parameters of these names, the first that fits; items to be split over the
processes are no multiple of their number.
"""


@dataclass(frozen=True, kw_only=True)
class FunctionAsked:
    """A function to write: its parameters, and the call that the tests make."""

    name: str
    parameters: tuple[str, ...]  # as they are written: ``n_processes=2``
    items: str  # the parameter whose items are split over the processes
    given: tuple[object, ...]  # example arguments by position
    values: tuple[object, ...]  # the items among them
    count: str  # the parameter for the number of processes; "" where there is none
    by_name: bool  # that parameter has a default

    @property
    def signature(self) -> str:
        """The function as it is defined."""
        return f"{self.name}({', '.join(self.parameters)})"

    @property
    def processes(self) -> int:
        """How many processes the example asks for."""
        return PROCESSES if self.count else FIXED

    @property
    def call(self) -> str:
        """The example call."""
        named = [f"{self.count}={self.processes}"] if self.by_name else []
        return f"{self.name}({', '.join([*map(repr, self.given), *named])})"


def asked_function(text: str, example: str = "") -> FunctionAsked:
    """Read the signature of a function, and arguments for it.

    *example*: a tuple of arguments for the parameters that have no default, without the number of
    processes; by default they are chosen by the names of parameters. Raises UsageError.
    """
    name, parameters = _signature(text)
    names = [each.partition("=")[0] for each in parameters]
    required = [each for each in parameters if "=" not in each]
    count = next((each for each in names if _COUNTS.fullmatch(each)), "")
    _check_count(count, parameters)
    open_ones = [each for each in required if each != count]
    if not open_ones:
        raise UsageError(
            f"--function {text!r}: one parameter without a default has to have the items that are"
            " split over the processes, such as values"
        )
    values = _arguments(open_ones, example)
    items = next((one for one, value in values.items() if isinstance(value, (list, tuple))), "")
    if not items or not values[items]:
        raise UsageError(
            "no argument of the example is a list with items to split over the processes: give"
            ' --example "([1, 2, 3],)"'
        )
    chosen: Sequence[object] = values[items]  # type: ignore[assignment]  # - a list or tuple
    return FunctionAsked(
        name=name,
        parameters=parameters,
        items=items,
        given=tuple(PROCESSES if each == count else values[each] for each in required),
        values=tuple(chosen),
        count=count,
        by_name=bool(count) and count not in required,
    )


def _signature(text: str) -> tuple[str, tuple[str, ...]]:
    try:
        name, parameters = signature(text)
    except ValueError as error:
        raise UsageError(f"--function: {error}") from error
    if text.lstrip().startswith("async ") or re.search(r"[(,]\s*[*/]|[\\]|'''", text):
        raise UsageError(
            f"--function {text!r}: a plain function is asked for, with plain parameters and"
            " defaults, without async, / and *"
        )
    if keyword.iskeyword(name) or hasattr(builtins, name) or name.startswith("_") or name == "mp":
        raise UsageError(
            f"--function: {name!r} cannot be the function's name, which others need: choose another"
        )
    for each in parameters:
        _, given, default = each.partition("=")
        if given and not _is_literal(default):
            raise UsageError(
                f"--function: the default of {each} has to be a plain value, as in n=2"
            )
    return name, parameters


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True


def _check_count(count: str, parameters: Sequence[str]) -> None:
    for each in parameters:
        name, given, default = each.partition("=")
        if name == count and given and not re.fullmatch(r"[1-9]\d*", default):
            raise UsageError(
                f"--function: {each} is the number of processes, whose default has to be a number,"
                f" as in {name}=2"
            )


def _arguments(names: Sequence[str], example: str) -> dict[str, object]:
    """Return an argument for each parameter, from the example where there is one."""
    if example:
        try:
            given = ast.literal_eval(example.strip())
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            given = None
        if not isinstance(given, tuple) and len(names) == 1 and given is not None:
            given = (given,)  # a comma is easily forgotten
        if not isinstance(given, tuple) or len(given) != len(names):
            raise UsageError(
                f"--example has to be a tuple of plain values for {', '.join(names)}, such as"
                f' "([1, 2, 3],)", got {example!r}'
            )
        return dict(zip(names, given, strict=True))
    return {name: _guessed(name) for name in names}


def _guessed(name: str) -> object:
    for pattern, value in _EXAMPLES:
        if pattern.fullmatch(name):
            return value
    raise UsageError(
        f"nobody knows what {name!r} is: give arguments for all parameters that have no default,"
        ' as in --example "([1, 2, 3],)"'
    )
