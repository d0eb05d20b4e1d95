"""Make pages of notebooks: ``python -m pytest_mpgrade.report.notebook_html FILE.ipynb …`` writes ``FILE.html``.

A process of its own, since it takes long to load, and a stranger's notebook may take for ever. Scripts and whatever
else a page could act by are left out. The only user of nbconvert.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from pytest_mpgrade.report.atomic import write_bytes


def main(paths: list[str]) -> None:
    """Convert each."""
    from nbconvert import HTMLExporter

    exporter: Any = HTMLExporter(sanitize_html=True)
    for path in map(Path, paths):
        page, _ = exporter.from_filename(str(path))
        write_bytes(page.encode("utf-8", "replace"), path.with_suffix(".html"))


if __name__ == "__main__":
    main(sys.argv[1:])
