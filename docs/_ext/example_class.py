"""The report on the class in examples/class, made of its results in docs/example-class.

`make example-class` grades the class and keeps the results; the pages are made with each site.
"""

from __future__ import annotations

import os
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from pytest_mpgrade import cli

_FOLDER = "example-class"


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    results, into = app.srcdir / _FOLDER, app.outdir / _FOLDER
    here = Path.cwd()
    os.chdir(app.srcdir.parent)  # results name the submissions as they are seen from there
    try:
        if cli.main(["report", str(results), "--out", str(into), "--assignment", "mp_apply"]):
            raise ExtensionError(f"no report could be made of {results}")
    finally:
        os.chdir(here)


def setup(app: Sphinx) -> dict[str, bool]:
    """Have the report written at the end of a build."""
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
