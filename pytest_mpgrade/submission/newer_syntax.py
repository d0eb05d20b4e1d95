"""Find which newer Python accepts a source that is a syntax error for the running one.

The words of the error are not used. The source is rewritten without what newer versions have added.
A newer version is named only if the running Python accepts the rest. Tests compare this with Ruff.
"""

from __future__ import annotations

import ast
import itertools
import keyword
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_mpgrade.submission.lexer import StrangeError, Token, tokens_of
from pytest_mpgrade.submission.newer import MOST, Version, version_text


@dataclass(frozen=True, kw_only=True)
class Feature:
    """A piece of syntax, and the version of Python that added it."""

    name: str
    version: Version


EXCEPT_STAR = Feature(name="except*", version=(3, 11))
STAR = Feature(name="a star in an index, or in the annotation of *args", version=(3, 11))
F_STRING = Feature(
    name="an f-string with its own quotes, a backslash or a comment in its braces", version=(3, 12)
)
TYPE = Feature(name="the type statement", version=(3, 12))
GENERIC = Feature(name="a list of type parameters", version=(3, 12))
DEFAULT = Feature(name="a default of a type parameter", version=(3, 13))
EXCEPT_COMMA = Feature(name="except with several exceptions but no parentheses", version=(3, 14))
T_STRING = Feature(name="a t-string", version=(3, 14))
UNPACKING = Feature(name="unpacking in a comprehension", version=(3, 15))
LAZY = Feature(name="a lazy import", version=(3, 15))

_PARAMETER = re.compile(
    r"\s*\*{0,2}\s*[^\W\d]\w*\s*(?::(?P<bound>[^=]+))?(?P<equals>=(?P<default>.+))?", re.DOTALL
)
_OURS = sys.version_info[:2]
_Edit = tuple[Feature, list[tuple[Token, str]]]


def newer_syntax(text: str, running: Version = _OURS) -> str:
    """Return a sentence on which newer Python accepts a source; "" where none is known.

    *running* is the version for which a source is a syntax error, by default our own.
    """
    if len(text) > MOST:
        return ""
    try:
        rest, features = _without(tokens_of(text))
    except (StrangeError, RecursionError):
        return ""
    if not features or not _parses(rest):
        return ""
    newest = max(features, key=lambda feature: (feature.version, feature.name))
    if newest.version <= running:
        return ""
    sentence = f"Python {version_text(newest.version)} or newer would take it ({newest.name})"
    return f"{sentence}; the grader runs Python {version_text(running)}"


def _parses(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _without(tokens: list[Token]) -> tuple[str, set[Feature]]:
    """Return a source without features newer than our own Python, and these features."""
    used = [token for token in tokens if token.kind not in ("space", "comment")]
    features: set[Feature] = set()
    for place, token in enumerate(used):
        if token.kind == "formatted" and not _parses(token.text):
            features |= _as_plain_string(token, used[max(0, place - 1) : place + 2])
    for find in (_type_statements, _parameters, _excepts, _stars, _lazy):
        for feature, changes in list(find(used)):
            if feature.version > _OURS:
                features.add(feature)
                for token, text in changes:
                    token.text = text
    return "".join(token.text for token in tokens), features


def _as_plain_string(token: Token, around: Sequence[Token]) -> set[Feature]:
    """Replace a string that our Python does not accept by a plain one; return its features."""
    template = _is_template(token)
    features: set[Feature] = set()
    for expression in token.fields:
        rest, inner = _without(expression)
        rest = re.sub(r"(?<![=!<>])=\s*$", "", rest)
        if not re.sub(r"#.*", "", rest).strip() or not _parses(f"_ = (\n{rest}\n)"):
            raise StrangeError
        features |= inner
    if template and any(
        each.kind in ("string", "formatted") and not _is_template(each) for each in around
    ):
        raise StrangeError  # a t-string cannot be concatenated with other strings
    feature = T_STRING if template else F_STRING
    if feature.version > _OURS:
        features.add(feature)
    if features:
        token.text = token.plain
    return features


def _is_template(token: Token) -> bool:
    return token.kind == "formatted" and "t" in re.split("['\"]", token.text.lower())[0]


def _starts_statement(used: Sequence[Token], place: int) -> bool:
    before = used[place - 1] if place else None
    return before is None or (
        before.depth == 0 and (before.kind == "newline" or before.text in (";", ":"))
    )


def _closing(used: Sequence[Token], place: int) -> int:
    """Return where the bracket at a place is closed."""
    depth = used[place].depth
    return next(at for at in range(place + 1, len(used)) if used[at].depth < depth)


def _texts(used: Sequence[Token], place: int, count: int) -> list[str]:
    return [token.text for token in used[place : place + count]] + [""] * (
        place + count - len(used)
    )


def _type_statements(used: Sequence[Token]) -> Iterator[_Edit]:
    for place, token in enumerate(used[:-2]):
        if (
            token.text == "type"
            and _starts_statement(used, place)
            and used[place + 1].kind == "name"
        ):
            after = place + 2
            if used[after].text == "[":
                after = _closing(used, after) + 1
            if _texts(used, after, 1) == ["="]:
                yield TYPE, [(token, "_ = 0;")]
                yield from _generic(used, place + 2)


def _parameters(used: Sequence[Token]) -> Iterator[_Edit]:
    for place, token in enumerate(used[:-2]):
        if (
            token.kind == "name"
            and token.text in ("def", "class")
            and used[place + 1].kind == "name"
        ):
            yield from _generic(used, place + 2)


def _generic(used: Sequence[Token], place: int) -> Iterator[_Edit]:
    """Remove a list of type parameters, if there is one at a place."""
    if used[place].text != "[":
        return
    end = _closing(used, place)
    inside, texts = used[place + 1 : end], [""]
    for token in inside:
        if token.text == "," and token.depth == used[place].depth:
            texts.append("")
        else:
            texts[-1] += token.text + " " * (token.kind == "name")
    if len(texts) > 1 and not texts[-1].strip():
        texts.pop()
    found = [_PARAMETER.fullmatch(text) for text in texts]
    for match in found:
        if match is None or not all(
            _parses(f"_ = ({part})") for part in match.group("bound", "default") if part
        ):
            raise StrangeError
    yield GENERIC, [(token, "") for token in used[place : end + 1]]
    if any(match and match["equals"] for match in found):
        yield DEFAULT, []


def _excepts(used: Sequence[Token]) -> Iterator[_Edit]:
    for place, token in enumerate(used):
        if token.text != "except" or not _starts_statement(used, place):
            continue
        header = list(itertools.takewhile(_in_header, itertools.islice(used, place + 1, None)))
        if header and header[0].text == "*":
            yield EXCEPT_STAR, [(header[0], "")]
            header = header[1:]
        outer = [each.text for each in header if each.depth == 0]
        if "," in outer and "as" not in outer and outer[-1] != ",":
            first, *_, last = header
            yield EXCEPT_COMMA, [(first, f" ({first.text}"), (last, f"{last.text})")]


def _in_header(token: Token) -> bool:
    return token.depth > 0 or token.text not in (":", ";", "\n", "\r\n")


def _stars(used: Sequence[Token]) -> Iterator[_Edit]:
    """Find stars that older versions do not allow."""
    open_ones: list[int] = []
    solid = [token for token in used if token.kind != "newline" or token.depth == 0]
    for place, token in enumerate(solid):
        if token.kind == "op" and token.text in "([{":
            open_ones.append(place)
        elif token.kind == "op" and token.text in ")]}" and open_ones:
            open_ones.pop()
        elif token.text in ("*", "**") and token.kind == "op" and open_ones:
            opening, before = open_ones[-1], solid[place - 1].text
            bracket, value = solid[opening].text, _is_value(solid, opening - 1)
            if (
                token.text == "*"
                and (bracket, before) in (("(", ":"), ("[", ","), ("[", "["))
                and value
            ):
                yield STAR, [(token, "")]
            elif (
                place == opening + 1
                and (token.text, bracket) not in (("**", "["), ("**", "("))
                and not value
            ):
                yield from [(UNPACKING, [(token, "")])] * _is_comprehension(solid, opening)


def _is_value(solid: Sequence[Token], place: int) -> bool:
    """Tell whether the token at a place may end a value that is called or indexed."""
    if place < 0:
        return False
    token = solid[place]
    named = token.kind == "name" and not keyword.iskeyword(token.text)
    return named or token.kind in ("string", "formatted") or token.text in (")", "]", "}")


def _is_comprehension(solid: Sequence[Token], opening: int) -> bool:
    """Tell whether a bracket contains a comprehension."""
    depth = solid[opening].depth
    inside = [
        token.text for token in solid[opening : _closing(solid, opening)] if token.depth == depth
    ]
    return "for" in inside and "," not in inside[: inside.index("for")]


def _lazy(used: Sequence[Token]) -> Iterator[_Edit]:
    for place, token in enumerate(used):
        if token.text == "lazy" and token.first and _starts_statement(used, place):
            rest = [each.text for each in used[place + 1 : place + 200]]
            line = rest[: rest.index("\n")] if "\n" in rest else rest
            if line[:1] in (["import"], ["from"]) and "*" not in line:
                yield LAZY, [(token, "_ = 0;")]
