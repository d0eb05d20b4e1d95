"""What must hold of a hostile submission's grading, and what of it does not."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hostile.cell import Left
from hostile.grading import CASES
from hostile.places import Place

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SHOWN = 6
_LOST = ("error", "inconclusive", "not run")


@dataclass(frozen=True, kw_only=True)
class Case:
    """A table of hostile.toml, which says what the keys mean."""

    name: str
    says: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    concerns: list[str] = field(default_factory=list)
    seconds: float = 0.0  # 0: the usual
    slow: bool = False
    long: bool = False
    excepted: dict[str, list[str]] = field(default_factory=dict)  # by layer, or user

    def spared(self, place: Place, what: str) -> bool:
        """Tell whether something is not asked in a place."""
        return what in (*self.excepted.get(place.level, []), *self.excepted.get(place.user, []))


@dataclass(frozen=True, kw_only=True)
class Graded:
    """What came of one grading."""

    words: str  # for the table
    faults: tuple[str, ...]
    verdict: tuple[str, ...]
    seconds: float


class Rows(dict[tuple[str, str], Graded]):
    """What came of each case in each place, on disk too if a file is named."""

    def __init__(self, path: Path | None) -> None:
        super().__init__()
        self._path = path
        if path is not None and path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                case, place, one = msgspec.json.decode(line, type=tuple[str, str, Graded])
                self[case, place] = one

    def add(self, case: str, place: str, one: Graded) -> None:
        """Note a row; a line that is written is never lost."""
        self[case, place] = one
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([case, place, asdict(one)]) + "\n")


def cases() -> list[Case]:
    """Return all hostile submissions. Raises SystemExit where the tables and the files differ."""
    tables = tomllib.loads((CASES / "hostile.toml").read_text(encoding="utf-8"))
    files = {path.stem for path in CASES.iterdir() if path.suffix == ".py" or path.is_dir()} - {
        "__pycache__"
    }
    if files != tables.keys():
        raise SystemExit(
            "hostile.toml: the tables and the files differ:"
            f" {', '.join(sorted(files ^ tables.keys()))}"
        )
    found = [
        Case(name=name, excepted=table.pop("except", {}), **table)
        for name, table in sorted(tables.items())
    ]
    return sorted(found, key=lambda case: not case.long)


def judge(case: Case, place: Place, left: Left) -> Graded:
    """Hold one grading against what must hold."""
    faults: list[str] = []
    if left.broke:
        faults.append(f"no cell: {left.broke}")
    if left.code not in (0, 1, 3):
        faults.append(f"exit code {left.code}: {left.said[-200:]!r}")
    if not case.spared(place, "left"):
        faults += [f"left: {each}" for each in left.left[:6]] + [
            f"and {len(left.left) - 6} more"
        ] * (len(left.left) > 6)
    if _CONTROL.search(left.said):
        faults.append("control characters in what mpgrade has printed")
    try:
        result = json.loads(left.result)
    except ValueError as error:
        faults.append(f"no result: {error}")
        return Graded(words="no result", faults=tuple(faults), verdict=(), seconds=left.seconds)
    failed = sorted(
        {check["concern"] for check in result["checks"] if check["outcome"] == "failed"}
    )
    faults += [] if left.broke else _of_result(case, place, result, failed)
    return Graded(
        words=(
            f"{result['score']:g}/{result['max_score']:g} {', '.join(failed) or result['status']}"
        ),
        faults=tuple(faults),
        verdict=(result["status"], *failed),
        seconds=left.seconds,
    )


def _undecided_by_load(check: dict[str, Any]) -> bool:
    return (check["concern"], check["outcome"]) == ("speedup", "inconclusive")


def _of_result(
    case: Case, place: Place, result: dict[str, Any], failed: list[str]
) -> Iterator[str]:
    if result["status"] == "graded" and result["score"] >= result["max_score"]:
        yield "full marks"
    if result["status"] == "error":
        yield f"status error: {result['reason']}"
    short = place.shortfall(result["containment"])
    if short:
        yield short
    for key, whole in (("points", "score"), ("max_points", "max_score")):
        if abs(sum(each[key] for each in result["criteria"]) - result[whole]) > 1e-6:
            yield f"the criteria's {key} are not its {whole}, {result[whole]:g}"
    # A clock that says nothing on a busy machine is no fault of isolation, and counts neither way
    # by design.
    lost = [
        each
        for each in result["checks"]
        if each["outcome"] in _LOST and not _undecided_by_load(each)
    ]
    if lost and not case.spared(place, "lost"):
        yield (
            f"{len(lost)} checks count neither way: {lost[0]['outcome']} {lost[0]['id']}:"
            f" {lost[0]['message'][:200]}"
        )
    told = "\n".join(
        [str(result.get("reason") or ""), *(check["message"] for check in result["checks"])]
    )
    if _CONTROL.search(told):
        yield "control characters in a message"
    if not case.spared(place, "says"):
        yield from (f"nowhere says {text!r}" for text in case.says if text not in told)
    if not case.spared(place, "never"):
        yield from (f"says {text!r}" for text in case.never if text in told)
    missing = sorted({*case.concerns} - {*failed})
    if missing and result["status"] != "error":
        yield f"does not fail {', '.join(missing)}, but {', '.join(failed) or 'nothing'}"
