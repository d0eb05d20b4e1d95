"""Run gradings as a Slurm job array, without any package: a list of specs, and a script for sbatch.

The user submits the script, and runs the same command again later to collect the results. Slurm
itself reserves the cores, pins processes where the site has set it so, ends cancelled jobs, and
requeues jobs whose node was lost. Each index of the array calls `run_one` on its specs, so an index
that runs twice has no effect the second time.
"""

from __future__ import annotations

import math
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_mpgrade.batch import archives
from pytest_mpgrade.batch.cluster.spec import GradingSpec, read_spec
from pytest_mpgrade.batch.cluster.staging import Carrier
from pytest_mpgrade.batch.cluster.store import Store
from pytest_mpgrade.batch.cluster.submission_worker import MARGIN, run_one
from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.grade.grading import NOT_YET, Grading

MOST_INDEXES = 1000
"""The most indexes of one array: Slurm refuses larger arrays by default (MaxArraySize 1001).

With more specs than that, each index grades several, one after the other.
"""
MOST_LOST = 2
"""How many attempts alone on a node may be lost before a person has to look at a submission."""
_SCRIPT = """\
#!/bin/bash
# Written by mpgrade; options given to sbatch come first, such as --account or --time.
#SBATCH --job-name=mpgrade{suffix}
#SBATCH --array=0-{last}{throttle}
#SBATCH --nodes=1 --ntasks=1 --cpus-per-task={cores}{exclusive}
#SBATCH --time={minutes}
#SBATCH --requeue --open-mode=append
#SBATCH --output="{log}/%A_%a.log"
{exports}exec {command}
"""


@dataclass(frozen=True, kw_only=True)
class Array:
    """The executor that writes job arrays.

    It yields existing results, and for all other submissions that they are not graded yet.
    """

    carrier: Carrier
    at_a_time: int  # 0: no limit of our own

    def __call__(self, jobs: Sequence[Job], grade: Callable[[Job], Grading]) -> Iterator[Grading]:  # noqa: ARG002 - the protocol of executors
        """Collect existing results, and write scripts for all other submissions.

        *grade* is not called, because it would grade on this machine.
        """
        waiting: list[tuple[Job, GradingSpec]] = []
        yield from self.carrier.known(jobs, waiting)
        store = self.carrier.store()
        scripts: dict[str, list[GradingSpec]] = {"array": [], "alone": [], "": []}
        reasons = []
        for _, spec in waiting:
            script, reason = self._next(store, spec)
            scripts[script].append(replace(spec, alone=script == "alone"))
            # The error of the last attempt says more than that another attempt will follow.
            reasons.append((store.broken(spec.key) if script else None, reason))
        for name in ("array", "alone"):
            self._write(name, scripts[name])
        for (job, _), (broken, reason) in zip(waiting, reasons, strict=True):
            yield self.carrier.received(job, broken) if broken else self.carrier.failed(job, reason)

    def _next(self, store: Store, spec: GradingSpec) -> tuple[str, str]:
        """Return the name of the script that will grade it, or "", and why it has no result yet."""
        lost = [each for each in store.attempts(spec.key) if "ended" not in each]
        alone = [each for each in lost if each["alone"]]
        if len(alone) >= MOST_LOST:
            hosts = ", ".join(sorted({str(each["host"]) for each in lost}))
            return (
                "",
                (
                    f"its grading was lost {len(lost)} times with its job (on {hosts}),"
                    f" {len(alone)} of them alone on a node: look at it by hand"
                ),
            )
        script = "alone" if lost else "array"
        again = (
            f"an attempt was lost with its job or still runs (see squeue); {script}.sh tries it on"
            " a node of its own"
        )
        return script, f"{NOT_YET}: {again if lost else f'it waits for sbatch {script}.sh'}"

    def _write(self, name: str, todo: Sequence[GradingSpec]) -> None:
        """Write the list of specs and the script; with nothing to do, only remove an old script."""
        place, script = self.carrier.place / name, self.script(name)
        script.unlink(missing_ok=True)
        if not todo:
            return
        archives.clear(place)
        for spec in todo:
            spec.write(place / spec.key)
        (place / "list").write_text("".join(f"{spec.key}\n" for spec in todo))
        log = self.carrier.place / "log"
        log.mkdir(exist_ok=True)
        indexes = min(len(todo), MOST_INDEXES)
        seconds = (todo[0].seconds + MARGIN) * math.ceil(len(todo) / indexes)
        command = [sys.executable, "-m", __name__, str(place), str(indexes)]
        paths = os.environ.get("PYTHONPATH", "")
        script.write_text(
            _SCRIPT.format(
                suffix="-alone" * (name == "alone"),
                last=indexes - 1,
                throttle=f"%{self.at_a_time}" if self.at_a_time else "",
                cores=self.carrier.cores,
                exclusive=" --exclusive" * (name == "alone"),
                minutes=math.ceil(seconds / 60),
                log=str(log).replace("%", "%%"),
                exports=f"export PYTHONPATH={shlex.quote(paths)}\n" if paths else "",
                command=shlex.join(command),
            )
        )
        script.chmod(0o755)

    def script(self, name: str) -> Path:
        """Return the path of a script; the file exists if there is something for it to do."""
        return self.carrier.place / f"{name}.sh"

    def notes(self) -> Iterator[str]:
        """Yield what the user has to do next."""
        scripts = [script for name in ("array", "alone") if (script := self.script(name)).exists()]
        yield from (
            f"to grade what is left: sbatch {shlex.quote(str(script))}" for script in scripts
        )
        if scripts:
            yield (
                "then run the same command again: it takes in the results, and writes scripts for"
                " what is left"
            )


def main(folder: Path, indexes: int, index: int) -> None:
    """Grade the specs of one index of an array; called by the script on a node."""

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    # A cancelled job ends its grading, and the log of attempts says so.
    signal.signal(signal.SIGTERM, end)
    names = (folder / "list").read_text().split()
    for name in names[index::indexes]:
        spec = read_spec(folder / name)
        print(f"{spec.id!r}: {len(run_one(spec))} bytes of results", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(os.environ["SLURM_ARRAY_TASK_ID"]))
