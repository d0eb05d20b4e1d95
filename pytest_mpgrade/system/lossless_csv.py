"""A CSV file as it stands: single cells can be changed, and every other byte stays what it was.

The standard library's csv reads and writes values; what it does not keep is how they were written:
quotes, line ends, a byte order mark, spaces. So a file is cut into cells here, by the rules of RFC
4180, and put together again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MARK = "\ufeff"


@dataclass(kw_only=True)
class Sheet:
    """Rows of cells, each as it is written in the file; see `read`."""

    rows: list[list[str]]
    ends: list[str]  # of each row
    delimiter: str
    mark: str

    def value(self, row: int, column: int) -> str:
        """Return what a cell says; "" where the row is too short."""
        cells = self.rows[row]
        return _value(cells[column]) if column < len(cells) else ""

    def line(self, row: int) -> int:
        """Return the line of the file on which a row begins, from 1 on."""
        before = "".join(
            "".join(cells) + end
            for cells, end in zip(self.rows[:row], self.ends[:row], strict=True)
        )
        return 1 + len(re.findall(r"\r\n|\r|\n", before))

    def header(self) -> list[str]:
        """Return the values of the first row."""
        return [_value(cell) for cell in self.rows[0]] if self.rows else []

    def put(self, row: int, column: int, text: str) -> None:
        """Change a cell, in quotes where they are needed or were there."""
        cells = self.rows[row]
        quoted = cells[column].startswith('"') or re.search(
            rf'["\r\n{re.escape(self.delimiter)}]', text
        )
        cells[column] = '"' + text.replace('"', '""') + '"' if quoted else text

    def text(self) -> str:
        """Return the whole file."""
        rows = (
            self.delimiter.join(row) + end for row, end in zip(self.rows, self.ends, strict=True)
        )
        return self.mark + "".join(rows)


def read_sheet(text: str) -> Sheet:
    """Cut a file into cells.

    The delimiter is the one of , ; and tab that its first line has most of.
    """
    mark, body = (MARK, text[1:]) if text.startswith(MARK) else ("", text)
    first = re.sub(r'"(?:[^"]|"")*"', "", re.split(r"\r\n|\r|\n", body, maxsplit=1)[0])
    delimiter = max(",;\t", key=first.count)
    sheet = Sheet(rows=[], ends=[], delimiter=delimiter, mark=mark)
    row: list[str] = []
    for cell, end in _cells(body, delimiter):
        row.append(cell)
        if end != delimiter:
            sheet.rows.append(row)
            sheet.ends.append(end)
            row = []
    return sheet


def _cells(body: str, delimiter: str) -> Iterator[tuple[str, str]]:
    """Yield each cell as it is written, with what ends it.

    That is the delimiter, a line end, or nothing at the file's end.
    """
    plain = re.compile(rf'(?:"(?:[^"]|"")*")?[^{re.escape(delimiter)}\r\n]*')
    end = re.compile(r"\r\n|\r|\n|" + re.escape(delimiter))
    at = 0
    while at < len(body):
        match = plain.match(body, at)
        assert match is not None  # it may be empty
        stop = end.match(body, match.end())
        ending = stop[0] if stop else ""
        yield match[0], ending
        at = match.end() + len(ending)
        if ending == delimiter and at == len(body):
            yield "", ""


def _value(cell: str) -> str:
    if cell.startswith('"') and cell.endswith('"') and len(cell) > 1:
        return cell[1:-1].replace('""', '"')
    return cell
