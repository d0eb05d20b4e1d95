"""Split a source into tokens by the rules of the newest Python.

`tokenize` knows only the rules of the running Python.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PREFIX = r"(?i:[rbu]|br|rb)?"
_TOKEN = re.compile(
    r"(?P<space>(?:[ \t\f]|\\\r?\n)+)|(?P<comment>\#[^\r\n]*)|(?P<newline>\r\n|\r|\n)"
    r"|(?P<formatted>(?i:[ft]r|r[ft]|[ft])(?:'''|\"\"\"|'|\"))"
    rf"|(?P<string>{_PREFIX}(?:'''|\"\"\"|'|\"))"
    r"|(?P<name>\w+)|(?P<op>\*\*|:=|->|!=|.)",
    re.DOTALL,
)
_NAMED = re.compile(r"\\N\{[^{}]*\}")
_CONVERSION = re.compile(r"!\s*[rsa]\s*")
_OPENING = dict(zip("([{", ")]}", strict=True))
_BRACKETS = frozenset("()[]{}")
_DEEPEST, _MOST_BRACKETS = 40, 200  # the latter is Python's own limit


class StrangeError(Exception):
    """A source that cannot be split into tokens."""


@dataclass(kw_only=True)
class Token:
    """A piece of a source; the texts of all tokens together are the source."""

    kind: str  # a group of `_TOKEN`
    text: str
    depth: int  # number of brackets that are open after it
    first: bool = False  # whether it is the first on its line
    # the expressions in the braces of a formatted string
    fields: list[list[Token]] = field(default_factory=list)
    plain: str = ""  # the formatted string without these expressions


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a source. Raises StrangeError where brackets or strings do not end."""
    return _Lexer(text).tokens(0, 0)[0]


class _Lexer:
    def __init__(self, text: str) -> None:
        self.text = text

    def tokens(self, at: int, within: int) -> tuple[list[Token], int]:
        """Return the tokens from a place on.

        *within* so many formatted strings, they go up to the end of an expression.
        """
        tokens: list[Token] = []
        closing: list[str] = []
        while match := _TOKEN.match(self.text, at):
            kind, piece = str(match.lastgroup), match[0]
            if within and not closing and piece in ("}", ":", "!", ":="):
                return tokens, at
            fields, plain = list[list[Token]](), ""
            if kind == "string":
                piece = self.text[at : self._end_of_string(match.end(), piece)]
            elif kind == "formatted":
                fields, plain, end = self._formatted(match.end(), piece, within + 1)
                piece = self.text[at:end]
            elif piece in _OPENING and len(closing) < _MOST_BRACKETS:
                closing.append(_OPENING[piece])
            elif piece in _BRACKETS and (not closing or closing.pop() != piece):
                raise StrangeError
            first = not tokens or tokens[-1].kind == "newline"
            tokens.append(
                Token(
                    kind=kind,
                    text=piece,
                    depth=len(closing),
                    first=first,
                    fields=fields,
                    plain=plain,
                )
            )
            at += len(piece)
        if closing or within:
            raise StrangeError
        return tokens, at

    def _end_of_string(self, at: int, opening: str) -> int:
        quotes = _quotes(opening)
        stop = re.compile(rf"\\.|{quotes}" + r"|\n" * (len(quotes) == 1), re.DOTALL)
        while match := stop.search(self.text, at):
            if match[0] == quotes:
                return match.end()
            if match[0] == "\n":
                break
            at = match.end()
        raise StrangeError

    def _formatted(self, at: int, opening: str, within: int) -> tuple[list[list[Token]], str, int]:
        """Return the expressions in an f-string or t-string, its rest, and its end (PEP 701)."""
        quotes, raw = _quotes(opening), "r" in opening.lower()
        fields: list[list[Token]] = []
        plain = "r" * raw + quotes
        while at < len(self.text) and within <= _DEEPEST:
            begin, step = at, 1
            if self.text.startswith(quotes, at):
                return fields, plain + quotes, at + len(quotes)
            if self.text.startswith(("{{", "}}"), at):
                step = 2
            elif self.text[at] == "{":
                more, at = self._field(at + 1, within, quotes)
                fields += more
                plain += "_"
                continue
            elif self.text[at] == "}" or self._line_ends(at, quotes):
                break
            elif self.text[at] == "\\" and not (raw and self.text[at + 1 : at + 2] in ("{", "}")):
                named = None if raw else _NAMED.match(self.text, at)
                step = len(named[0]) if named else 2
            at += step
            plain += self.text[begin:at]
        raise StrangeError

    def _field(self, at: int, within: int, quotes: str) -> tuple[list[list[Token]], int]:
        """Return the expressions in a pair of braces, with those of its format, and its end."""
        expression, at = self.tokens(at, within)
        fields = [expression]
        if conversion := _CONVERSION.match(self.text, at):
            at = conversion.end()
        if self.text.startswith(":", at):
            at += 1
            while self.text[at : at + 1] not in ("", "}") and not self.text.startswith(quotes, at):
                if self._line_ends(at, quotes):
                    break
                more, at = (
                    self._field(at + 1, within + 1, quotes)
                    if self.text[at] == "{"
                    else ([], at + 1)
                )
                fields += more
        if not self.text.startswith("}", at):
            raise StrangeError
        return fields, at + 1

    def _line_ends(self, at: int, quotes: str) -> bool:
        return len(quotes) == 1 and self.text[at] in "\r\n"


def _quotes(opening: str) -> str:
    return opening.lstrip("rbuftRBUFT")
