"""The one table of characters that a terminal acts on or hides, and the ways to show them.

Whatever comes from AWS, a registry, a file or another program passes through here before a person sees it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

# Control characters, invisible ones and those that reorder a line (bidi) would let a repository's name or tag
# show as another one, so they appear as escapes. ZWNJ and ZWJ are among them on purpose.
_HOSTILE = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_HOSTILE_BLOCK = _HOSTILE.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f")
_HOSTILE_CODE = _HOSTILE_BLOCK
"""Line ends and tabs are layout; inside of strings their languages have escaped them."""


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Made when it is first needed: the first frame has nothing of anybody's."""
    return re.compile(text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe(text: str) -> str:
    """``text`` on one line, with everything that a terminal would act on or hide made visible."""
    if text.isascii() and text.isprintable():
        return text
    return _pattern(_HOSTILE).sub(_escape, text)


def visible(text: str) -> str:
    """As :func:`safe`, but one character for one: for text in which places count."""
    return _pattern(_HOSTILE).sub(lambda match: chr(0x2400 + ord(match[0])) if ord(match[0]) < 0x20 else "\ufffd", text)


def safe_block(text: str) -> str:
    """As :func:`safe`, for several lines: line ends and tabs stay."""
    return _pattern(_HOSTILE_BLOCK).sub(_escape, text.replace("\r\n", "\n")).expandtabs(4)


def block(lines: Iterable[str]) -> str:
    """Lines as one text. A line end inside of one becomes visible: no value can forge a line."""
    return "\n".join(map(safe, lines))


def count(number: int, noun: str) -> str:
    """ "1 repository", "1,200 repositories"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def hanging(head: str, text: str) -> list[str]:
    """Lines of a text that may have several: the first behind ``head``, the others below its end, further in than
    any line of ours."""
    first, *rest = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    return [f"{head}{first}", *(f"{' ' * len(head)}{line}" for line in rest)]


def json_text(value: Any) -> str:
    """``value`` as JSON to read, its hostile characters as JSON's own escapes."""
    return json_escaped(json.dumps(value, indent=2, ensure_ascii=False))


def json_escaped(text: str) -> str:
    """``text`` that holds JSON, such as a command: hostile characters, all inside of strings, as JSON's escapes."""
    return _pattern(_HOSTILE_CODE).sub(_json_escape, text)


def hcl_escaped(text: str) -> str:
    """As :func:`json_escaped`, for text that holds HCL."""
    return _pattern(_HOSTILE_CODE).sub(lambda match: _unicode_escape(ord(match[0])), text)


def _json_escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return _unicode_escape(code)
    return "".join(
        _unicode_escape(half) for half in (0xD800 + (code - 0x10000 >> 10), 0xDC00 + (code - 0x10000 & 0x3FF))
    )


def _unicode_escape(code: int) -> str:
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
