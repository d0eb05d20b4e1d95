"""A Dask scheduler on this host, whose workers are jobs of a cluster.

dask-jobqueue submits the jobs and replaces lost ones. Settings that differ from site to site
(queue, account, memory, walltime, network interface) are in dask-jobqueue's own file,
`~/.config/dask/jobqueue.yaml`. A job is as large as one grading: the cluster keeps all other jobs
off its cores.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.errors import UsageError

MOST_JOBS = 20
"""The number of jobs at a time if the user gives none."""
MEMORY, WALLTIME = "4GB", "04:00:00"
"""The limits of a job if the site's configuration has none."""
_SETTINGS = {
    "distributed.scheduler.allowed-failures": 0,  # `dask` repeats lost gradings
    "distributed.scheduler.worker-ttl": "60s",  # a silent host counts as lost after that
}


@contextlib.contextmanager
def cluster(kind: str, jobs: int, cores: int, place: Path) -> Iterator[object]:
    """Start a scheduler, and keep *jobs* jobs in the queue of a cluster until the context ends.

    Files go below *place*.
    """
    try:
        import dask_jobqueue
        from dask import config
    except ImportError:
        raise UsageError(
            "dask-jobqueue is not installed: pip install 'pytest-mpgrade[cluster]'"
        ) from None
    engine = getattr(dask_jobqueue, f"{kind.upper()}Cluster")
    submit = engine.job_cls.submit_command.split()[0]
    if shutil.which(submit) is None:
        raise UsageError(
            f"there is no command {submit} here: start this on a host that can submit jobs to"
            f" {kind}"
        )
    keys = place / "keys"
    keys.mkdir(parents=True, exist_ok=True)
    keys.chmod(0o700)  # a user who reads the keys can run code as us
    site = {name: config.get(f"jobqueue.{kind}.{name}", None) for name in ("memory", "walltime")}
    with config.set(_SETTINGS):
        try:
            started = engine(
                cores=cores,
                processes=1,
                memory=site["memory"] or MEMORY,
                walltime=site["walltime"] or WALLTIME,
                python=sys.executable,
                worker_extra_args=["--resources", f"core={cores}", "--no-dashboard"],
                log_directory=str(place / "log"),
                protocol="tls://",
                security=True,
                shared_temp_directory=str(keys),
                scheduler_options={"dashboard_address": None},
            )
        except (OSError, ValueError, RuntimeError, ImportError) as error:
            raise UsageError(f"no Dask scheduler for {kind} could be started: {error}") from error
        with started:
            started.adapt(minimum_jobs=jobs, maximum_jobs=jobs)
            yield started
