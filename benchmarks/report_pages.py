"""What the pages of a class cost: seconds until all are written, and the size of the largest.

    python benchmarks/report_pages.py [--number 500]

The class is made of the results of real gradings (tests/data/approved), each with its submission,
so that its source is on the page. CPU time is told beside the time by the clock, which also says
what else the machine did.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from pytest_mpgrade.batch.report_folder import write_report
from pytest_mpgrade.cli.verify_cases import wrong_solution
from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.report.result_json import read_result, write_result
from pytest_mpgrade.submission.digest import digest
from pytest_mpgrade.submission.discover import own_files

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "tests/data/approved"
NAMES = ("ada", "never_joins", "drops_last", "never_joins", "starter")


def write_class(folder: Path, number: int) -> list[Path]:
    """Write so many results with their submissions; return the result files."""
    known = {name: read_result(RESULTS / name / "result.json") for name in NAMES}
    text = wrong_solution(find_assignment("mp_apply"), "never_joins").content()
    files = []
    for place, name in zip(range(number), itertools.cycle(NAMES), strict=False):
        own = folder / "submissions" / f"{place:03}-{name}"
        own.mkdir(parents=True)
        (own / "cv_funcs.py").write_bytes(text)
        part = replace(
            known[name].submission,
            id=own.name,
            path=str(own),
            sha256=digest(own_files(own)),
        )
        files.append(folder / "results" / own.name / "result.json")
        write_result(replace(known[name], submission=part), files[-1])
    return files


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=500)
    number = parser.parse_args().number
    folder = Path(tempfile.mkdtemp(prefix="mpgrade-benchmark-"))
    try:
        files = write_class(folder, number)
        criteria = find_assignment("mp_apply").criteria
        start, cpu = time.perf_counter(), time.process_time()
        list(write_report(files, criteria, folder / "report"))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        print(f"{number} students: {seconds:.1f} s, of CPU {cpu:.1f} s, with a page for staff too")
        for kind in ("students/*/feedback.html", "staff/*/report.html", "staff/class.html"):
            largest = max(page.stat().st_size for page in (folder / "report").glob(kind))
            print(f"  {kind}: at most {largest / 1000:.0f} kB")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
