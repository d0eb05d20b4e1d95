"""The evidence of a finding as lines of text.

Evidence is a dict of JSON that each check fills as it likes.

Some keys have a meaning: `lines` (texts that are shown as they are), `source` (``{"file", "line",
"code"}``, the student's own line), `call` (shown in the headline), `stderr` (its last lines say
most), `printed` (the last lines that the submission printed), `replay` (a command, which is never
left out), and in lists of dicts `pid` and `exitcode`. `stacks` and `found by` are kept in the
result file only, since `lines` says the same in a sentence. `each pair` and `limits` of a timing
are drawn on the pages of a result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from pytest_mpgrade.system.text import clean, exit_words, one_line

MOST_LINES = 8
"""Lines of an explanation. More would push the next one off the screen; result.json has all."""
_LAST_WORDS = 3  # file, line of code, exception
_MANY = 3  # processes of which the same is said share a line
_LONG = 40  # characters: what is longer has a line of its own
_SPECIAL = frozenset(
    ("call", "lines", "source", "stacks", "found by", "printed", "replay", "each pair", "limits")
)


def evidence_lines(evidence: Mapping[str, object], most: int = MOST_LINES) -> list[str]:
    """Return at most *most* lines, a count of those left out, a replay, and what was printed.

    The source line is not among them.
    """
    lines = [
        clean(line)
        for text in _listed(evidence.get("lines"))
        for line in str(text).expandtabs().splitlines()
    ]
    others = {key: value for key, value in evidence.items() if key not in _SPECIAL}
    for key, value in others.items():
        lines += _part(key, value, alone=len(others) == 1)
    if len(lines) > most + 1:
        lines[most:] = [f"… and {len(lines) - most} more"]
    lines += [f"replay: {clean(str(command))}" for command in _listed(evidence.get("replay"))]
    if printed := _listed(evidence.get("printed")):
        lines += ["printed:", *(f"  {clean(str(row)).expandtabs().rstrip()}" for row in printed)]
    return lines


def source_line(evidence: Mapping[str, object]) -> str:
    """Return the student's own line, ``cv_funcs.py:41   p.join()``; "" where there is none.

    The lines of a hang have it already.
    """
    place = evidence.get("source")
    return "" if "stacks" in evidence or not isinstance(place, Mapping) else line_words(place)


def line_words(place: Mapping[str, object]) -> str:
    """Return a `source` as text; "" for an empty one."""
    line = f":{place['line']}" if place.get("line") else ""
    file, code = one_line(str(place.get("file", ""))), one_line(str(place.get("code", "")))
    return f"{file}{line}   {code}".rstrip()


def _listed(value: object) -> Sequence[object]:
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _part(key: str, value: object, *, alone: bool) -> list[str]:
    if _is_table(value):
        return _table(key, value, alone=alone)
    if _is_block(value):
        rows = value[-_LAST_WORDS:] if key == "stderr" else value
        return [f"{_name(key)}:", *(f"  {clean(row).expandtabs().rstrip()}" for row in rows)]
    return [f"{_name(key)}: {_words(value)}"]


def _is_block(value: object) -> TypeGuard[Sequence[str]]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(row, str) for row in value):
        return False
    return any(len(row) > _LONG or row[:1].isspace() for row in value)


def _name(key: str) -> str:
    return one_line(key.replace("_", " "))


def _is_table(value: object) -> TypeGuard[Sequence[Mapping[str, object]]]:
    return (
        isinstance(value, (list, tuple))
        and bool(value)
        and all(isinstance(row, Mapping) for row in value)
    )


def _alike(rows: Sequence[Mapping[str, object]]) -> Sequence[Mapping[str, object]]:
    """Return one row for processes of which the same is said, where there are many; else *rows*."""
    others = [{name: value for name, value in row.items() if name != "pid"} for row in rows]
    if len(rows) < _MANY or "pid" not in rows[0] or any(each != others[0] for each in others):
        return rows
    first, second, *rest = (_words(row.get("pid")) for row in rows)
    shown = f"{first}, {second} and {rest[0] if len(rest) == 1 else f'{len(rest)} more'}"
    return [{"pid": shown, **others[0]}]


def _table(key: str, rows: Sequence[Mapping[str, object]], *, alone: bool) -> list[str]:
    rows = _alike(rows)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [
        [_cell(column, row[column]) if column in row else "" for column in columns] for row in rows
    ]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    made = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return made if alone else [f"{_name(key)}:", *(f"  {line}" for line in made)]


def _cell(column: str, value: object) -> str:
    if column == "pid":
        return f"pid {_words(value)}"
    if column == "exitcode" and (value is None or isinstance(value, int)):
        return exit_words(value)
    # Words speak for themselves ("zombie"); a number needs its name.
    return one_line(value) if isinstance(value, str) else f"{_name(column)} {_words(value)}"


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_name(str(key))} {_words(item)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_words(item) for item in value) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return one_line(f"{value:.3g}" if isinstance(value, float) else str(value))
