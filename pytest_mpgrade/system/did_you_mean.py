"""The known word that a user may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from itertools import islice

_CLOSE = 0.6
"""How similar a word must be to one that it may stand for, 0 to 1; difflib's own default."""
_SHOWN = 20
"""Words in one line that says what there is."""


def likely(word: str, known: Iterable[str], close: float = _CLOSE) -> str:
    """Return the known word that is most like *word*; "" where none is."""
    return next(iter(difflib.get_close_matches(word, known, 1, close)), "")


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'results'?`` as the end of a message.

    The answer is "" where no known word is similar.
    """
    near = likely(word, known)
    return f"; did you mean {near!r}?" if near else ""


def nearest_or_all(word: str, known: Collection[str]) -> str:
    """Return ``did you mean 'results'?`` for a word.

    Where no known word is similar, return what there is, see `what_there_is`.
    """
    near = likely(word, known)
    return f"did you mean {near!r}?" if near else what_there_is(known)


def what_there_is(known: Collection[str]) -> str:
    """Return ``there are: results, sentinel``, or of very many words the first."""
    if not known:
        return "there are none"
    if len(known) <= _SHOWN:
        return f"there are: {', '.join(known)}"
    return f"there are {len(known)}: {', '.join(islice(known, _SHOWN))}, …"
