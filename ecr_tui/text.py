"""Escape characters that a terminal interprets or hides.

All text from AWS, registries, files and other programs passes through here before display.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

# Control characters, invisible ones and those that reorder a line (bidi) could make a repository's name or tag look
# like another one, so they appear as escapes. ZWNJ and ZWJ are included on purpose.
_HOSTILE = (
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_HOSTILE_BLOCK = _HOSTILE.replace("\x00-\x1f", "\x00-\x08\x0b-\x1f")
_HOSTILE_CODE = _HOSTILE_BLOCK
"""Line ends and tabs are layout; within strings, JSON and HCL escape them."""


@cache
def _pattern(text: str) -> re.Pattern[str]:
    """Created on first use: the first frame has no external text."""
    return re.compile(text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def safe(text: str) -> str:
    """``text`` on one line, with characters that a terminal interprets or hides made visible."""
    if text.isascii() and text.isprintable():
        return text
    return _pattern(_HOSTILE).sub(_escape, text)


def visible(text: str) -> str:
    """As :func:`safe`, but one character for each: for text with positions."""
    return _pattern(_HOSTILE).sub(lambda match: chr(0x2400 + ord(match[0])) if ord(match[0]) < 0x20 else "\ufffd", text)


def safe_block(text: str) -> str:
    """As :func:`safe`, for several lines: line ends and tabs stay."""
    return _pattern(_HOSTILE_BLOCK).sub(_escape, text.replace("\r\n", "\n")).expandtabs(4)


def block(lines: Iterable[str]) -> str:
    """Join lines. Line ends within a line become visible, so no value can forge a line."""
    return "\n".join(map(safe, lines))


def count(number: int, noun: str) -> str:
    """ "1 repository", "1,200 repositories"."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def hanging(head: str, text: str) -> list[str]:
    """Lines of a text: the first after ``head``, the others indented below its end, deeper than any line of ours."""
    first, *rest = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    return [f"{head}{first}", *(f"{' ' * len(head)}{line}" for line in rest)]


def json_text(value: Any) -> str:
    """``value`` as formatted JSON, with unsafe characters as JSON escapes."""
    return json_escaped(json.dumps(value, indent=2, ensure_ascii=False))


def json_escaped(text: str) -> str:
    """``text`` with JSON, such as a command: unsafe characters, all within strings, as JSON escapes."""
    return _pattern(_HOSTILE_CODE).sub(_json_escape, text)


def hcl_escaped(text: str) -> str:
    """As :func:`json_escaped`, for text with HCL."""
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
