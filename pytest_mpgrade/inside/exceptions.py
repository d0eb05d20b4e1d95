"""An exception of student code as text, with the student's line that raised it."""

from __future__ import annotations

import os

from pytest_mpgrade.inside import bootstrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_mpgrade.inside.wire import ErrorTold, FrameTold


def describe_exception(error: BaseException, folder: str) -> ErrorTold:
    """Return an exception as text, with the student's own line."""
    linecache, traceback = bootstrap.library("linecache"), bootstrap.library("traceback")
    frames: list[FrameTold] = [
        {
            "file": f.filename,
            "line": f.lineno or 0,
            "function": f.name,
            "own": f.filename.startswith(folder + os.sep),
        }
        for f in traceback.extract_tb(error.__traceback__)
        if not f.filename.startswith(os.path.dirname(__file__))
    ]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(
            {"file": error.filename, "line": error.lineno or 0, "function": "", "own": True}
        )
    own = [frame for frame in frames if frame["own"]]
    line = linecache.getline(own[-1]["file"], own[-1]["line"]).strip() if own else ""
    return {
        "type": type(error).__name__,
        "message": _safe(error),
        "chain": _chain(error),
        "frames": frames[-30:],
        "line": line[:300],
    }


def _chain(error: BaseException) -> list[str]:
    links: list[BaseException] = []
    todo: list[BaseException | None] = [
        error.__cause__,
        error.__context__,
        *getattr(error, "exceptions", ()),
    ]
    while todo and len(links) < 20:
        link = todo.pop(0)
        if isinstance(link, BaseException) and link is not error and link not in links:
            links.append(link)
            todo += [link.__cause__, link.__context__, *getattr(link, "exceptions", ())]
    return _notes(error) + [
        text for link in links for text in (f"{type(link).__name__}: {_safe(link)}", *_notes(link))
    ]


def _notes(error: BaseException) -> list[str]:
    """Return what add_note() has added to an exception."""
    notes = getattr(error, "__notes__", ())
    return (
        [note[:2000] for note in notes[:20] if isinstance(note, str)]
        if isinstance(notes, (list, tuple))
        else []
    )


def _safe(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as broken:
        text = f"<no message: {type(broken).__name__}>"
    # The end of a text is kept, too: where it is a traceback, its last line names the exception.
    text = text if len(text) <= 8000 else f"{text[:4000]} … {text[-4000:]}"
    return text.encode("utf-8", "backslashreplace").decode()
