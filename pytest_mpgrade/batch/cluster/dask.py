"""Run gradings on Dask workers, those of the user's scheduler or jobs of a cluster.

Dask places, watches and repeats tasks. This module limits how many are in flight: no more than
there are slots. Otherwise every lost worker would throw suspicion on submissions that were only
queued on it. A submission that was lost with its worker is run again with nothing else in flight.
If it is lost then, too, a person has to look at it. The scheduler needs none of our packages: it
gets plain data and a function pickled by value.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pytest_mpgrade import __version__
from pytest_mpgrade.batch.cluster import jobqueue
from pytest_mpgrade.batch.cluster.spec import GradingSpec
from pytest_mpgrade.batch.cluster.staging import Carrier
from pytest_mpgrade.batch.cluster.submission_worker import CancelledError
from pytest_mpgrade.batch.job import Job
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade.grading import Grading
from pytest_mpgrade.records import Status
from pytest_mpgrade.system.waiting import wait_until

if TYPE_CHECKING:
    from distributed import Client, Future

CONNECT_SECONDS = 60.0
"""A scheduler that is there answers at once; one that is being started takes some seconds."""
IDLE_SECONDS = 600.0
"""How many seconds a batch waits for a first worker of a scheduler that has none.

The error after that tells the user how to start one.
"""
QUEUE_SECONDS = 86_400.0
"""The same where workers are jobs, which may wait in the queue of a cluster for a day."""
TRIES_ALONE = 2
"""Attempts, with nothing else running, at a submission whose worker was lost: perhaps by others."""
_PERIOD = 5.0
"""Seconds between two looks for workers that came or went; the end of a grading is told at once."""


@dataclass(frozen=True, kw_only=True)
class Dask:
    """The executor that runs gradings on Dask workers."""

    carrier: Carrier
    connect: Callable[[], contextlib.AbstractContextManager[Client]]  # returns a client
    patience: float  # seconds to wait for a first worker
    most: int  # gradings at a time; 0: as many as there are slots

    def __call__(self, jobs: Sequence[Job], grade: Callable[[Job], Grading]) -> Iterator[Grading]:  # noqa: ARG002 - the protocol of executors
        """Yield gradings as they come.

        *grade* is not called, because it would grade on this machine.
        """
        todo: list[tuple[Job, GradingSpec]] = []
        yield from self.carrier.known(jobs, todo)
        if todo:
            with self.connect() as client:
                yield from _Batch(self, client).run(todo)


class _Batch:
    """One batch on one scheduler."""

    def __init__(self, settings: Dask, client: Client) -> None:
        self._carrier, self._settings, self._client = settings.carrier, settings, client
        self._store = self._carrier.store()

    def run(self, todo: Sequence[tuple[Job, GradingSpec]]) -> Iterator[Grading]:
        lost: list[tuple[Job, GradingSpec]] = []
        for each, data in self._flown(todo, self._slots):
            if data is None:
                lost.append(each)
            else:
                yield self._taken(*each, data)
        for job, spec in lost:
            yield self._alone(job, replace(spec, alone=True))

    def _alone(self, job: Job, spec: GradingSpec) -> Grading:
        """Run a submission that was lost with its worker again, with nothing else in flight.

        If its worker is lost now, no other submission can be the cause.
        """
        for _ in range(TRIES_ALONE):
            for _, data in self._flown([(job, spec)], lambda: min(1, self._slots())):
                if data is not None:
                    return self._taken(job, spec, data)
        return self._carrier.failed(
            job,
            f"its grading ended the worker that it ran on, in the batch and then {TRIES_ALONE}"
            " times with nothing else running: look at it by hand",
        )

    def _taken(self, job: Job, spec: GradingSpec, data: bytes | str) -> Grading:
        if isinstance(data, str):
            return self._carrier.failed(job, data)
        grading = self._carrier.received(job, data)
        if grading.result.status is Status.ERROR:
            self._store.keep_broken(spec.key, data)
            return grading
        kept = self._store.commit(spec.key, data)
        return grading if kept == data else self._carrier.received(job, kept)

    def _flown(
        self, todo: Sequence[tuple[Job, GradingSpec]], slots: Callable[[], int]
    ) -> Iterator[tuple[tuple[Job, GradingSpec], bytes | str | None]]:
        """Yield each spec with the files that came back, a fault in words, or None if it was lost.

        A spec is lost when the worker that runs it is.
        """
        from distributed import wait

        rest = iter(todo)
        flying: dict[Future[bytes], tuple[Job, GradingSpec]] = {}
        try:
            while True:
                room = slots() - len(flying)
                for _, each in zip(range(room), rest, strict=False):
                    flying[self._submit(each[1])] = each
                if not flying:
                    return
                with contextlib.suppress(TimeoutError):
                    wait(list(flying), timeout=_PERIOD, return_when="FIRST_COMPLETED")
                for future in [each for each in flying if each.done()]:
                    each = flying.pop(future)
                    brought = _brought(future)
                    future.release()
                    yield each, brought
        finally:
            self._client.cancel(list(flying), force=True)

    def _submit(self, spec: GradingSpec) -> Future[bytes]:
        return self._client.submit(
            _task(),
            spec.plain(),
            key=f"mpgrade-{spec.key}-{uuid.uuid4().hex[:8]}",
            pure=False,
            resources={"core": spec.cores},
            retries=0,
        )

    def _slots(self) -> int:
        """Return how many gradings fit on the cores of the workers at once.

        Waits for a first worker as long as the settings allow. Raises UsageError after that.
        """
        slots = wait_until(self._slots_now, self._settings.patience, 1.0)
        if not slots:
            cores = self._carrier.cores
            raise UsageError(
                f"no Dask worker has declared {cores} cores for {self._settings.patience:g} s:"
                f" start some with dask worker ADDRESS --resources core=N, N at least {cores}; then"
                " run the same command again"
            )
        return min(slots, self._settings.most or slots)

    def _slots_now(self) -> int:
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        cores = self._carrier.cores
        return sum(
            min(int(each["resources"].get("core", 0) // cores), each["nthreads"])
            for each in workers
        )


def _brought(future: Future[bytes]) -> bytes | str | None:
    from distributed import KilledWorker

    if future.cancelled():
        raise UsageError(
            "the Dask scheduler was lost or restarted; run the same command again to go on"
        )
    try:
        return bytes(future.result())
    except (KilledWorker, CancelledError):  # not cancelled by us: its worker was ended
        return None
    except Exception as error:
        return f"the worker could not grade it: {type(error).__name__}: {error}"


def _task() -> Callable[[dict[str, object]], bytes]:
    """Return the function that a worker runs.

    It is nested so that it is pickled by value: the scheduler unpickles it, too, and may lack
    mpgrade.
    """

    def grade(plain: dict[str, object]) -> bytes:
        from distributed import get_worker

        from pytest_mpgrade.batch.cluster import spec, submission_worker

        worker = get_worker()
        key = worker.get_current_task()

        def cancelled() -> bool:
            # A thread cannot be interrupted. The worker drops a cancelled task, or marks it.
            task = worker.state.tasks.get(key)
            return task is None or task.state == "cancelled"

        return submission_worker.run_one(spec.spec_of(plain), cancelled)

    return grade


def _version() -> Callable[[], str]:
    def version() -> str:
        from pytest_mpgrade import __version__

        return __version__

    return version


def executor(carrier: Carrier, scheduler: str, cluster: str | None, most: int) -> Dask:
    """Return the executor for a scheduler's address or a kind of cluster.

    Raises UsageError where it cannot be used.
    """
    try:
        import distributed  # noqa: F401 - whether it is there
    except ImportError:
        raise UsageError("Dask is not installed: pip install 'pytest-mpgrade[cluster]'") from None
    if cluster:
        jobs = most or jobqueue.MOST_JOBS
        connect = partial(_started, carrier, cluster, jobs)
        return Dask(carrier=carrier, connect=connect, patience=QUEUE_SECONDS, most=jobs)
    _check_address(scheduler)
    return Dask(
        carrier=carrier, connect=partial(_attached, scheduler), patience=IDLE_SECONDS, most=most
    )


def _check_address(address: str) -> None:
    """Raise UsageError for a scheduler on another host without TLS.

    Everybody who reaches a scheduler without TLS can run code as its user.
    """
    match = re.fullmatch(r"(?:(\w+)://)?(\[.+\]|[^:]+):\d+/?", address)
    if not match:
        raise UsageError(f"{address!r} is no scheduler's address, such as tls://head:8786")
    protocol, host = match[1] or "tcp", match[2].strip("[]")
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return
    if protocol != "tls" and host != "localhost":
        raise UsageError(
            f"{address} is not on this host, and without TLS everybody who reaches it runs code as"
            " you: start scheduler and workers with --tls-ca-file, --tls-cert and --tls-key, name"
            " the same files to Dask here (DASK_DISTRIBUTED__COMM__TLS__CA_FILE,"
            " …__TLS__CLIENT__CERT, …__TLS__CLIENT__KEY), and give tls://"
        )


@contextlib.contextmanager
def _attached(address: str) -> Iterator[Client]:
    from distributed import Client

    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, TypeError, ValueError) as error:
        raise UsageError(f"the Dask scheduler {address} cannot be reached: {error}") from error
    with client:
        _check_workers(client)
        yield client


@contextlib.contextmanager
def _started(carrier: Carrier, kind: str, jobs: int) -> Iterator[Client]:
    from distributed import Client

    with (
        jobqueue.cluster(kind, jobs, carrier.cores, carrier.place) as cluster,
        Client(cluster) as client,
    ):
        yield client


def _check_workers(client: Client) -> None:
    """Raise UsageError where a worker has another version of mpgrade, before anything is sent."""
    versions = client.run(_version(), on_error="return")
    for address, version in sorted(versions.items()):
        if isinstance(version, BaseException):
            raise UsageError(
                f"the Dask worker {address} cannot use mpgrade ({version}): install it there"
            )
        if version != __version__:
            raise UsageError(
                f"the Dask worker {address} has mpgrade {version}, not {__version__}: install the"
                " same"
            )
