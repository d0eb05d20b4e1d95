"""Patterns of calls that returned: what came back, who worked, and what is left."""

from __future__ import annotations

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge import hang_facts
from pytest_mpgrade.judge.causes.cause import Cause
from pytest_mpgrade.records import Run, again_in


def results_back(run: Run) -> int | None:
    """Return how many results came back; None where the call returned no list."""
    return (
        len(run.encoded[1])
        if isinstance(run.encoded, list) and run.encoded[:1] == ["list"]
        else None
    )


def came_back(run: Run) -> str:
    """Return the value of a call that returned no list, as text.

    Of a tuple or dict it gives only the number of items: their order may be chance.
    """
    kind, content = (
        run.encoded if isinstance(run.encoded, list) and len(run.encoded) == 2 else ("", [])
    )
    return (
        f"a {kind} of {len(content)}"
        if kind in ("tuple", "dict")
        else plain_data.shown(run.encoded)
    )


def _begun_by_children(run: Run) -> int:
    caller = run.trace.caller
    return len(
        {
            event.key
            for event in run.trace.events
            if event.kind in ("note", "gate") and event.pid != caller
        }
    )


def nothing_returned(run: Run) -> Cause | None:
    """The call returned None although its tasks were run."""
    if run.encoded != ["none"] or not _begun_by_children(run):
        return None
    return Cause(name="nothing returned", hint="return the list of the workers' results at the end")


def not_a_list(run: Run) -> Cause | None:
    """The call of some tasks returned something that holds or makes results and is no list."""
    if not run.tasked:
        return None  # of any other call an array, say, may be what is asked for
    kind = run.encoded[0] if isinstance(run.encoded, list) and run.encoded else ""
    name = str(run.encoded[1]).rpartition(".")[2] if kind == "object" else kind
    if name == "dict":
        return Cause(
            name="no list",
            hint="return the list of the results alone, as list(….values()) gives it",
        )
    if name in (
        "tuple",
        "set",
        "frozenset",
        "generator",
        "map",
        "filter",
        "array",
        "ndarray",
        "deque",
    ):
        return Cause(name="no list", hint=f"return a list: list(…) makes one of this {name}")
    return None


def used_up(run: Run) -> Cause | None:
    """Nothing came back for a generator, which can be gone through only once.

    It was gone through before if the function does so twice by its syntax, or if no process has
    begun a task. Else nobody knows why nothing came back, and there is no hint.
    """
    if not run.lazily or results_back(run) != 0:
        return None
    again, begun = run.code.use(again_in(run.function)), _begun_by_children(run)
    if again is None and begun:
        return Cause(name="unknown", first=True)
    hint = "a generator is empty after one pass: begin with tasks = list(tasks)"
    if again is None:
        said = f"none of the {run.trace.tasks} tasks was begun"
        return Cause(name="used up", said=said, hint=hint, first=True)
    where = f"line {again.line} goes through the generator a second time"
    place = {"source": {"file": run.code.file, "line": again.line, "code": again.code}}
    return Cause(name="used up", said=where, hint=hint, first=True, source=place)


def copies(run: Run) -> Cause | None:
    """Child processes ran the tasks, and the list of results is empty."""
    begun = _begun_by_children(run)
    if results_back(run) != 0 or not begun:
        return None
    ran = f"{begun} of them" if hang_facts.unbegun(run) else "all of them" if begun > 1 else "it"
    return Cause(
        name="copies",
        said=f"{ran} ran in child processes",
        hint=(
            "a child process changes its own copies of your variables: send results back through a"
            " queue or a pipe"
        ),
    )


def fewer(run: Run) -> Cause | None:
    """Fewer results than tasks came back."""
    came, never = results_back(run), hang_facts.unbegun(run)
    if came is None or came >= run.trace.tasks:
        return None
    if never:
        said = hang_facts.never_begun(run)
        return Cause(
            name="tasks not run",
            said=said,
            hint="hand out every task, and wait until all results are there",
        )
    hint = "every task was begun: collect as many results as there are tasks before you return"
    return Cause(name="results not collected", hint=hint)


def more(run: Run) -> Cause | None:
    """More results came back than tasks were run."""
    came, ran = results_back(run), sum(event.kind in ("note", "gate") for event in run.trace.events)
    if came is None or not ran or came <= ran:
        return None
    return Cause(
        name="results twice",
        hint="collect each result once, in a list that is made anew in every call",
    )


def threads(run: Run) -> Cause | None:
    """Threads ran the tasks, in the calling process."""
    use = run.code.use("ThreadPool", "ThreadPoolExecutor", "Thread")
    if use is None:
        return None
    return Cause(
        name="threads",
        said=f"{use.name}() in line {use.line} makes threads of that process",
        hint=(
            "a thread is no process: use multiprocessing.Process, Pool or"
            " concurrent.futures.ProcessPoolExecutor"
        ),
        first=True,
    )


def loky(run: Run) -> Cause | None:
    """Joblib keeps its workers for the next call."""
    if not any(process.reusable and process.later == "alive" for process in run.trace.processes):
        return None
    return Cause(
        name="loky",
        said="joblib (loky) keeps its workers for the next call",
        hint=(
            "end them before you return:"
            " joblib.externals.loky.get_reusable_executor().shutdown(wait=True)"
        ),
        first=True,
    )


def started_here(run: Run) -> Cause | None:
    """Processes were started by a line of the submission, which the cause names."""
    use = run.code.use("Process")
    if use is None:
        return None
    place = {"file": run.code.file, "line": use.line, "code": use.code}
    return Cause(name="started here", source={"source": place})


def pool_not_joined(run: Run) -> Cause | None:
    """A pool was not closed and joined: its workers were terminated, or are still there."""
    use = run.code.use("Pool")
    if use is None or run.code.use("Process") is not None:
        return None
    hint = (
        f"close() the pool of line {use.line}, and then join() it: terminate(), the end of its"
        " `with` block and letting go of it end its workers by force"
    )
    return Cause(name="pool not joined", hint=hint, first=True)
