"""How long a run has computed, so that what is left of a time was spent asleep."""

from __future__ import annotations

from pytest_mpgrade.run.observe.watch import Watch
from pytest_mpgrade.system.linux import procfs


def core_seconds(watch: Watch) -> float:
    """Return the seconds in which the run has computed, or was kept from that.

    The calling thread and all other processes have run or waited for a core, or the tree has waited
    for us. What the caller waits for meanwhile, such as the start of a manager, takes longer on a
    busy machine.
    """
    others = watch.observer.threads(watch.workers_alive())
    mine = procfs.times(watch.caller, watch.caller)
    return (
        watch.clock.held_up + sum(mine) + sum(thread.ran + thread.queued for thread in others) / 1e9
    )
