"""Which tests go to one process of pytest-xdist: those of clusters share the cores, a package's
root is set up once.

By file, not by the mark `xdist_group`, which adds the group to the id of a test: pytest 9.2 does
not let it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from xdist.scheduler import LoadScopeScheduling

GROUPS = {
    "test_cluster.py": "cluster",
    "test_dask.py": "cluster",
    "test_slurm.py": "cluster",
    "test_package.py": "package",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Return a scheduler that hands out tests one by one, but for those of a group."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # - untyped
        def _split_scope(self, nodeid: str) -> str:
            return GROUPS.get(nodeid.partition("::")[0].rpartition("/")[2], nodeid)

    return Scheduling(config, log)
