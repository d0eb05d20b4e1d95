"""Make the text of a wrong solution from a right design and a diff, with a mark at each fault.

Pure. The diff is a unified diff without line numbers, because the next edit of the design would
make those wrong::

    @@ mp_apply()
         todo = iter(tasks)
    -    first = list(islice(todo, n_processes))
    +    first = list(islice(todo, n_processes + 1))

Libraries that apply diffs (whatthepatch, patch-ng) rely on line numbers; unidiff only parses.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator, Sequence

WRONG = "# wrong: "
"""The beginning of a mark.

The mark says how many lines below it are wrong, and has the right lines as comments.
"""
_MISSING, _INSTEAD = "missing here:", ", instead of:"
_CODE = "#     "

_Change = tuple[int, int, Iterable[str]]
"""The range of lines of the design that is replaced, and the lines that replace it."""


def with_fault(design: str, about: str, diff: str) -> str:
    """Return the wrong solution: it begins with the sentence *about* it, and its faults are marked.

    Raises ValueError where *diff* is no diff, or does not fit the design.
    """
    lines = design.splitlines()
    changes = [_placed(hunk, lines, number) for number, hunk in enumerate(_hunks(diff), 1)]
    if not changes:
        raise ValueError("changes nothing")
    place, shown = 0, []
    for start, end, instead in sorted(
        [_sentence(design, about), *changes], key=lambda change: change[0]
    ):
        if start < place:
            raise ValueError("two hunks change the same line")
        shown += [*lines[place:start], *instead]
        place = end
    return "\n".join([*shown, *lines[place:]]) + "\n"


def _hunks(diff: str) -> Iterator[list[tuple[str, str]]]:
    """Yield the hunks of a diff, each as its lines with the sign before them."""
    lines = diff.splitlines()
    if [line[:4] for line in lines[:2]] == ["--- ", "+++ "]:
        lines = lines[2:]  # diff(1) writes the names of two files first
    for head, group in itertools.groupby(lines, lambda line: line.startswith("@@")):
        if head:
            continue
        rows = [(line[:1], line[1:]) for line in group]
        if odd := [sign + line for sign, line in rows if sign not in {"", " ", "-", "+"}]:
            raise ValueError(f"a line begins with neither ' ', '-', '+' nor '@@': {odd[0]!r}")
        yield [(sign.strip(), line) for sign, line in rows]


def _placed(hunk: Sequence[tuple[str, str]], lines: Sequence[str], number: int) -> _Change:
    """Return the change that a hunk makes, at the place where its lines are in the design."""
    right = [line for sign, line in hunk if sign != "+"]
    if not any(sign for sign, _ in hunk):
        raise ValueError(f"hunk {number} changes nothing")
    if not right:
        raise ValueError(f"hunk {number} needs a line of the design, to say where its own belong")
    places = [
        at for at in range(len(lines) - len(right) + 1) if [*lines[at : at + len(right)]] == right
    ]
    if len(places) != 1:
        raise ValueError(
            f"the lines of hunk {number} stand in the design {len(places)} times, not once:"
            f" {right[0]!r}"
        )
    above, below = _unchanged(hunk), _unchanged(hunk[::-1])
    return (
        places[0] + above,
        places[0] + len(right) - below,
        _marked(hunk[above : len(hunk) - below]),
    )


def _unchanged(hunk: Sequence[tuple[str, str]]) -> int:
    """Return how many lines at the beginning of a hunk are only context."""
    return sum(1 for _ in itertools.takewhile(lambda row: not row[0], hunk))


def _marked(hunk: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Yield the lines that the wrong solution has for a hunk, with a mark above changed ones."""
    for changed, group in itertools.groupby(hunk, lambda row: row[0] != ""):
        rows = list(group)
        if changed:
            yield from mark(
                [line for sign, line in rows if sign == "-"],
                [line for sign, line in rows if sign == "+"],
            )
        else:
            yield from (line for _, line in rows)


def mark(right: Sequence[str], wrong: Sequence[str]) -> Iterator[str]:
    """Yield a mark with the right lines in it, and the wrong lines below it."""
    code = [line for line in (*right, *wrong) if line.strip()]
    indent = min((line[: len(line) - len(line.lstrip())] for line in code), key=len, default="")
    if wrong:
        many = "the next line" if len(wrong) == 1 else f"the next {len(wrong)} lines"
        yield f"{indent}{WRONG}{many}{_INSTEAD * bool(right)}"
    else:
        yield f"{indent}{WRONG}{_MISSING}"
    yield from (f"{indent}{_CODE}{line[len(indent) :]}".rstrip() for line in right)
    yield from wrong


def _sentence(design: str, about: str) -> _Change:
    """Return the change that replaces the docstring of the design, or precedes its first cell."""
    first = next(iter(ast.parse(design).body), None)
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        quoted = about.replace("\\", "\\\\").replace('"', '\\"')
        return first.lineno - 1, first.end_lineno or first.lineno, [f'"""{quoted}"""']
    cell = next(
        (number for number, line in enumerate(design.splitlines(), 1) if line.startswith("# %%")), 0
    )
    return cell, cell, [f"# {about}"]
