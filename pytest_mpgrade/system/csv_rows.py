"""CSV files that people write or export for a batch: rows by their header, each with its line."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_mpgrade.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class CsvRow:
    """One row: the line it begins on, and its cells by their column, without blanks around them."""

    line: int
    named: Mapping[str, str]


def read_rows(file: Path, needed: Collection[str]) -> Iterator[CsvRow]:
    """Yield the rows of a CSV file with a header; empty ones are passed over.

    Raises UsageError where the file cannot be read, or lacks a column that is *needed*.
    """
    try:
        text = file.read_text("utf-8-sig")
        # strict: a quote that is not closed would swallow the rows after it.
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        header: tuple[str, ...] = ()
        before = 0
        for row in reader:
            line, before = before + 1, reader.line_num
            cells = tuple(cell.strip() for cell in row)
            if not any(cells):
                continue
            if header:
                yield CsvRow(line=line, named=dict(zip(header, cells, strict=False)))
                continue
            header = tuple(name or f"column {place}" for place, name in enumerate(cells, start=1))
            if missing := [name for name in needed if name not in header]:
                raise UsageError(
                    f"{file}:{line}: there is no column {missing[0]!r} (needed:"
                    f" {', '.join(needed)})"
                )
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{file} is no CSV file in UTF-8: {error}") from error


def _delimiter(text: str) -> str:
    """Return the delimiter of a file; spreadsheets of some countries write semicolons."""
    first = text.partition("\n")[0]
    return ";" if first.count(";") > first.count(",") else ","
