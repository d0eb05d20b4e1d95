"""The program that tries a layer of isolation: can a submission be graded in it?

Its arguments are the submission's module and the folder of a run. The folder has a file `canary`
that must not be readable. The program prints a JSON list of what the layer does not keep apart. It
fails where it cannot reach the module, the scratch folder or semaphores.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> None:
    """Reach what a run needs, and print what should be out of reach."""
    import multiprocessing

    from pytest_mpgrade.inside import child, gates  # noqa: F401 - a run imports them

    module, folder = sys.argv[1:]
    with open(module, "rb") as file:
        file.read(1)
    os.listdir(os.path.dirname(module))
    for place in ("scratch", "box"):
        path = os.path.join(folder, place, "probe")
        with open(path, "wb") as file:
            file.write(b"x")
        os.unlink(path)
    with open(os.path.join(folder, "stacks"), "ab"):
        pass
    multiprocessing.Lock()
    print(json.dumps(_not_apart(folder)))


def _not_apart(folder: str) -> list[str]:
    try:
        with open(os.path.join(folder, "canary"), encoding="ascii") as file:
            file.read()
    except OSError:
        return []
    return ["files"]


if __name__ == "__main__":
    main()
