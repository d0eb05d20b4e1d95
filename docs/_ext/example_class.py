"""The report on the class in examples/class, made of its results in docs/example-class.

`make example-class` grades the class and keeps the results; the pages are made with each site.
"""

from __future__ import annotations

import os
from pathlib import Path

from sphinx.application import Sphinx

from pytest_mpgrade.batch.mapping import MAPPING, NOTHING, read_mapping
from pytest_mpgrade.batch.report_folder import write_report
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.report.result_json import result_files

_FOLDER = "example-class"


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    results = Path(app.srcdir) / _FOLDER
    into = Path(app.outdir) / _FOLDER
    missing = [each.source for each in read_mapping(results / MAPPING) if each.what == NOTHING]
    criteria = find_assignment("mp_apply").criteria
    here = Path.cwd()
    os.chdir(app.srcdir.parent)  # results name the submissions as they are seen from there
    try:
        for _ in write_report(result_files(results), criteria, into, missing):
            pass
    finally:
        os.chdir(here)


def setup(app: Sphinx) -> dict[str, bool]:
    """Have the report written at the end of a build."""
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
