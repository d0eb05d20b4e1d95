"""The process that imports the submission and calls its functions.

It takes one request and answers in JSON. The supervisor starts it as ``python -m
pytest_mpgrade.inside.child`` in its own scratch folder, with redirected standard streams. The
request is a pickle that the grader made. Children started by ``spawn`` and ``forkserver`` import
this module again as ``__mp_main__``, so its top level prepares them, too.

At the messages ``ready``, ``imported``, ``call``, ``back`` and ``settled`` the calling thread, and
no other, waits while the supervisor looks at the process tree from outside.
"""

from __future__ import annotations

import functools
import os
import pickle
import sys
from types import ModuleType

from pytest_mpgrade.inside import bootstrap, exceptions, gates, live, script
from pytest_mpgrade.inside.placeholders import Address, Lazily, Own, Saved, sendable

TYPE_CHECKING = False
if TYPE_CHECKING:  # every spawned worker pays for an import
    from collections.abc import Callable
    from typing import Any, TextIO

    from pytest_mpgrade.inside.wire import ChildRequest, ChildStep

if "MPGRADE_GATE" in os.environ and __name__ == "__mp_main__":
    bootstrap.dump_stacks_on_request()
    bootstrap.print_lines_at_once()
    if "MPGRADE_PREFIX" in os.environ:
        bootstrap.name_after(os.environ["MPGRADE_PREFIX"])
    for _package in bootstrap.packages():
        bootstrap.keep_start_method(_package)
    bootstrap.come_to_points()
    bootstrap.note_passed_items()
    bootstrap.freeze_memory()


_OURS = "pytest_mpgrade.inside.inspections"
"""The module of our own functions that a step may call."""


def _prepare(request: ChildRequest) -> None:
    """Set up the start method and the names of the run; the submission's folder comes later."""
    sys.argv = [request["module"]]
    bootstrap.set_up(request["packages"], request["start_method"], request["prefix"])
    bootstrap.come_to_points()
    bootstrap.note_passed_items()


class Player:
    """The steps of a request, taken one after the other."""

    def __init__(self, request: ChildRequest) -> None:
        self.request = request
        self.saved: dict[str, Any] = {}  # values of any type, which steps index
        self.module: ModuleType | None = None
        self.web = ""  # where the grader's web server is, if there is one
        self.control = bootstrap.StudentControl()

    def load(self) -> None:
        """Import the submission; report what it defines, or why it cannot be imported."""
        import importlib

        # Now: the submission may have a file base64.py, and its folder is not on the path yet.
        from pytest_mpgrade.inside import plain_data  # noqa: F401 - loaded now
        from pytest_mpgrade.inside.parameters import parameters
        from pytest_mpgrade.inside.side_effects import side_effects

        awaits = any(step["awaited"] for step in self.request["steps"])
        if awaits:
            from pytest_mpgrade.inside import awaiting  # noqa: F401 - loaded now
        if "MPGRADE_WEB" in os.environ:
            from pytest_mpgrade.inside import web

            self.web = web.base()
        bootstrap.freeze_memory()
        gates.ask("ready")
        # Not before "ready": no limit holds until then, and a file of the submission that has the
        # name of a library would run.
        sys.path.insert(0, self.request["folder"])
        try:
            with self.control:
                self.module = importlib.import_module(self.request["module"])
        except BaseException as error:
            detail = exceptions.describe_exception(error, self.request["folder"])
            if isinstance(error, ModuleNotFoundError) and error.name:
                detail["missing"] = error.name
            self._answer("import", error=detail)
            gates.ask("imported", ok=False)
            os._exit(0)
        loops = awaits or bool(self.web)  # this module is about event loops
        bootstrap.FACTS["side_effects"] = side_effects(os.environ["HOME"], loops=loops)
        functions = {name: getattr(self.module, name, None) for name in self.request["functions"]}
        signatures = {
            name: parameters(each) if callable(each) else None for name, each in functions.items()
        }
        self._answer("import", functions=signatures)
        gates.ask("imported", ok=True)

    def play(self) -> None:
        """Take all steps."""
        for number, step in enumerate(self.request["steps"]):
            for name in step["drop"]:
                self.saved.pop(name, None)
            if step["do"] in ("call", "script"):
                with bootstrap.KeptProcesses(step["keeps_processes"]):
                    self._call(number, step)
            else:
                self._settle(number)

    def _call(self, number: int, step: ChildStep) -> None:
        value: object = None
        error: BaseException | None = None
        things: list[live.Live] = []
        try:
            args = [self._resolve(item, things) for item in step["args"]]
            kwargs = {name: self._resolve(item, things) for name, item in step["kwargs"].items()}
        except (LookupError, TypeError, AttributeError):
            gates.ask("unusable", step=number)
            return
        gates.ask("call", step=number)
        bootstrap.begin_call()
        again = b"again"
        while again == b"again":
            value = error = None
            try:
                with self.control, bootstrap.explored(step, self.request["folder"]):
                    value = self._made(step, args, kwargs)
            except BaseException as caught:
                error = caught
            for stream in (sys.stdout, sys.stderr):
                _flush(stream)
            again = gates.ask("back", step=number, raised=error is not None, none=value is None)
        del args, kwargs
        self._tell(number, step, value, error, things)
        if step["save"]:
            self.saved[step["save"]] = value
        value = error = None
        things.clear()
        self._settle(number)

    def _made(self, step: ChildStep, args: list[object], kwargs: dict[str, object]) -> object:
        function = self._function(step)
        if not step["awaited"]:
            return function(*args, **kwargs)
        from pytest_mpgrade.inside import awaiting

        return awaiting.run_awaited(step["awaited"], function, args, kwargs)

    def _tell(
        self,
        number: int,
        step: ChildStep,
        value: object,
        error: BaseException | None,
        things: list[live.Live],
    ) -> None:
        if error is not None:
            queues = [each.remaining() for each in things]
            self._answer(
                str(number),
                error=exceptions.describe_exception(error, self.request["folder"]),
                queues=queues,
            )
            # The frames of the exception keep alive everything that the call made, which would
            # count as left over.
            error.__traceback__ = None
            return
        from pytest_mpgrade.inside import plain_data

        try:
            shown = _handles(value) if step["opaque"] else plain_data.encode(value)
        except Exception as broken:
            shown = ["object", f"unreadable: {type(broken).__name__}"]
        self._answer(str(number), value=shown, queues=[each.remaining() for each in things])

    def _function(self, step: ChildStep) -> Callable[..., object]:
        if step["do"] == "script":
            file = os.path.join(self.request["folder"], f"{self.request['module']}.py")
            return functools.partial(script.run_as_main, file)
        owner = bootstrap.library(_OURS) if step["ours"] else self.module
        theirs: Callable[..., object] = getattr(owner, step["function"])
        return functools.partial(step["via"], theirs) if step["via"] else theirs

    def _settle(self, number: int) -> None:
        """Collect garbage, then wait while the supervisor looks for what is left."""
        import gc

        for package in bootstrap.packages():
            bootstrap.forget_ended(package)
        gc.collect()
        gates.ask("settled", step=number)

    def _resolve(self, item: object, things: list[live.Live]) -> object:
        if isinstance(item, Own):
            return sendable(getattr(self.module, item.name))
        if isinstance(item, Address):
            return item.at(self.web)
        if isinstance(item, Saved):
            return self.saved[item.name] if item.item is None else self.saved[item.name][item.item]
        if isinstance(item, Lazily):
            return Lazily([self._resolve(part, things) for part in item.items]).make()
        if isinstance(item, live.STAND_INS):
            things.append(live.made_live(item))
            return things[-1].argument
        if type(item) is list:
            return [self._resolve(part, things) for part in item]
        if type(item) is tuple:
            return tuple(self._resolve(part, things) for part in item)
        if type(item) is dict:
            return {key: self._resolve(part, things) for key, part in item.items()}
        return item

    def _answer(self, name: str, **content: object) -> None:
        """Write an answer beside the earlier ones; the supervisor reads it up to a cap."""
        import json
        import multiprocessing

        content["facts"] = {
            **bootstrap.FACTS,
            "start_method_now": multiprocessing.get_start_method(allow_none=True),
        }
        # As one piece: each call of the system lets in the threads that the submission has left.
        with open(os.path.join(self.request["answers"], f"{name}.json"), "wb") as file:
            file.write(json.dumps(content).encode())


def _handles(value: object) -> object:
    """Return the types of the items of a tuple, and the pid of each item that is a process."""
    if not isinstance(value, tuple):
        return ["object", type(value).__qualname__]
    return [
        "tuple",
        [
            ["object", f"{type(v).__module__}.{type(v).__qualname__}", getattr(v, "pid", None)]
            for v in value
        ],
    ]


def _flush(stream: TextIO) -> None:
    try:
        stream.flush()
    except Exception:  # a student may have closed or replaced it
        return


def main() -> None:
    """Read the request from the file named on the command line, and take its steps."""
    bootstrap.dump_stacks_on_request()
    bootstrap.print_lines_at_once()
    with open(sys.argv[1], "rb") as file:
        request: ChildRequest = pickle.load(file)  # noqa: S301 - made by the grader, read before any student code is loaded
    os.unlink(sys.argv[1])
    _prepare(request)
    bootstrap.limit(request["most_processes"])
    player = Player(request)
    player.load()
    player.play()
    gates.ask("done")
    os._exit(0)


if __name__ == "__main__":
    main()
