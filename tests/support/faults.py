"""Has one call of a supervisor fail, once: started by test_supervisor_faults.py in place of what
the supervisors' servers are forked from.

    python faults.py MODULE NAME NUMBER ERRNO FLAG

The NUMBER-th call of MODULE's NAME in a process raises OSError, if FLAG is still there; it is
removed by that.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any


def main() -> None:
    """Break the call, then serve."""
    module, name, number, errno, flag = sys.argv[1:6]
    place: Any = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        place = getattr(place, part)
    real = getattr(place, last)
    calls = 0

    def fails(*arguments: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == int(number):
            try:
                os.unlink(flag)
            except FileNotFoundError:
                pass
            else:
                raise OSError(int(errno), f"{os.strerror(int(errno))}, on purpose")
        return real(*arguments, **more)

    static = isinstance(vars(place).get(last), (staticmethod, classmethod))
    setattr(place, last, staticmethod(fails) if static else fails)
    from pytest_mpgrade.run.supervisor import zygote

    zygote.main()


if __name__ == "__main__":
    main()
