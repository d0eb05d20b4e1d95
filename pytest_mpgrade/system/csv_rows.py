"""CSV files that people write or export for a batch: rows by their header, each with its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.errors import Mistakes
from pytest_mpgrade.system.did_you_mean import nearest


@dataclass(frozen=True, kw_only=True)
class CsvRow:
    """One row: the line it begins on, and its cells by their column, without blanks around them."""

    line: int
    named: Mapping[str, str]


def read_rows(file: Path, needed: Collection[str], mistakes: Mistakes) -> list[CsvRow]:
    """Return the rows of a CSV file with a header; empty ones are passed over.

    What is wrong with the file goes to *mistakes*, each with its line: that it cannot be read, that
    it lacks a column that is *needed*, and rows with more cells than the header.
    """
    try:
        text = re.sub(r"\r\n?", "\n", file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        mistakes.add(f"cannot read {file}: {error.strerror}")
        return []
    except UnicodeDecodeError as error:
        mistakes.add(f"{file}:{not_utf8(error)}")
        return []
    delimiter = _delimiter(text)
    rows: list[CsvRow] = []
    header: tuple[str, ...] = ()
    for line, cells in _cells(file, text, delimiter, mistakes):
        if not header:
            header = tuple(name or f"column {place}" for place, name in enumerate(cells, start=1))
            faults = list(_faults_of_header(header, needed))
            for fault in faults:
                mistakes.add(f"{file}:{line}: {fault}")
            if faults:
                return []
        elif any(cells[len(header) :]):
            told = f"{len(cells)} cells below {len(header)} columns"
            mistakes.add(f"{file}:{line}: {told}: a text with {delimiter!r} in it needs quotes")
        else:
            rows.append(CsvRow(line=line, named=dict(zip(header, cells, strict=False))))
    return rows


def not_utf8(error: UnicodeDecodeError) -> str:
    """Return the line at which a file stops to be UTF-8, and what to do, as in ``3: not …``."""
    line = error.object.count(b"\n", 0, error.start) + 1
    return f"{line}: not saved as UTF-8 (spreadsheets call it CSV UTF-8)"


def _cells(
    file: Path, text: str, delimiter: str, mistakes: Mistakes
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the line on which each row begins, and its cells, if it has any."""
    # strict: a quote that is not closed would swallow the rows after it.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            cells = tuple(cell.strip() for cell in row)
            if any(cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        mistakes.add(f"{file}:{line}: no row of a CSV file: {error}")


def _faults_of_header(header: Sequence[str], needed: Collection[str]) -> Iterator[str]:
    unknown = [name for name in header if name not in needed]
    for name in needed:
        if name not in header:
            asked = f"(needed: {', '.join(needed)}){nearest(name, unknown)}"
            yield f"there is no column {name!r} {asked}"
        elif header.count(name) > 1:
            yield f"there are {header.count(name)} columns {name!r}"


def _delimiter(text: str) -> str:
    """Return the delimiter of a file; spreadsheets of some countries write semicolons."""
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","
