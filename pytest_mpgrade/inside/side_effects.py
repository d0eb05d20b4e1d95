"""What the import of a module has done besides defining things."""

from __future__ import annotations

import os


def side_effects(scratch: str, *, loops: bool) -> list[str]:
    """Return what an import has done besides defining things.

    Hidden files do not count: libraries make those, such as a cache of fonts. An event loop counts
    where *loops* says so: what is made for one loop cannot be awaited in another.
    """
    import threading

    effects = []
    if os.path.realpath(os.getcwd()) != os.path.realpath(scratch):
        effects.append("changes the current folder")
    threads = [each.name for each in threading.enumerate() if each is not threading.main_thread()]
    if threads:
        effects.append(f"starts a thread ({threads[0]})")
    files = sorted(name for name in os.listdir(scratch) if not name.startswith("."))
    if files:
        effects.append(f"writes a file ({files[0]})")
    if loops and _has_open_loop():
        effects.append("makes an event loop")
    return effects


def _has_open_loop() -> bool:
    import gc
    from asyncio import AbstractEventLoop

    return any(isinstance(o, AbstractEventLoop) and not o.is_closed() for o in gc.get_objects())
