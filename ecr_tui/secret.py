"""Secrets that never print (registry tokens, passwords, AWS credentials), and redaction of texts."""

from __future__ import annotations

import base64
import hmac
import html
import re
import string
import threading
from collections import OrderedDict
from collections.abc import Iterator
from functools import lru_cache
from typing import NoReturn
from urllib.parse import unquote, urlsplit

_HIDDEN = "********"

_LEAST = 8
"""Minimum characters of a secret to redact: shorter ones occur in ordinary words."""
_HEAD = 24
"""Characters of a longer secret that identify it: the rest may be cut off."""
_CAPACITY = 256
"""Maximum secrets to redact, the newest; a process rarely has more than a few."""
_TOKEN_SIGNS = frozenset(string.ascii_letters + string.digits + "+/=_.%~-\\")
_PLAIN = frozenset(string.ascii_letters + string.digits)

_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^\s/?#]*)@")
_NAMED = re.compile(
    r"((?:x-amz-security-token|x-amz-signature|session-?_?token|secret-?_?access-?_?key|proxy-password)"
    r"[\"']?\s*(?:[:=>]|%3A|%3D)\s*[\"']?)[^\s\"'&<>,;}]+",
    re.IGNORECASE,
)
_HEADER = re.compile(r"(authorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer)\s+)[A-Za-z0-9+/=_.~-]+", re.IGNORECASE)

_known: OrderedDict[str, None] = OrderedDict()
_lock = threading.Lock()


def remember(value: str | None) -> None:
    """Register ``value`` for :func:`redact`."""
    if value and len(value) >= _LEAST:
        with _lock:
            _known[value] = None
            _known.move_to_end(value)
            if len(_known) > _CAPACITY:
                _known.popitem(last=False)


def remember_url(url: str | None) -> None:
    """As :func:`remember`, for the password in a URL, such as a proxy's."""
    try:
        info = urlsplit(url or "").netloc.rpartition("@")[0]
    except ValueError:
        return
    password = info.partition(":")[2]
    if password:
        remember(f"{info}@")
        remember(password)
        remember(unquote(password))


def redact(text: str) -> str:
    """``text`` without secrets that are registered or recognized by context: in a URL, a header or a named field."""
    if not text:
        return text
    with _lock:
        known = tuple(_known)
    for value in known:
        text = _without(text, value)
    if "://" in text:
        text = _USERINFO.sub(_hide_userinfo, text)
    text = _NAMED.sub(rf"\1{_HIDDEN}", text)
    return _HEADER.sub(rf"\1{_HIDDEN}", text)


def _hide_userinfo(match: re.Match[str]) -> str:
    # The user of an ssh address is a name, not a secret.
    if match[1].lower().endswith("ssh") and ":" not in match[2]:
        return match[0]
    return f"{match[1]}://{_HIDDEN}@"


def _without(text: str, value: str) -> str:
    for anchor, pattern, grows in _forms(value):
        if anchor in text:
            text = _cut(text, pattern, grows)
    return text


def _cut(text: str, pattern: re.Pattern[str], grows: str) -> str:
    """``grows``: whether a match extends over adjacent token characters ("right", "both")."""
    kept, place = [], 0
    for match in pattern.finditer(text):
        start, end = match.span()
        if start < place:
            continue
        while grows and end < len(text) and text[end] in _TOKEN_SIGNS:
            end += 1
        while grows == "both" and start > place and text[start - 1] in _TOKEN_SIGNS:
            start -= 1
        kept += [text[place:start], _HIDDEN]
        place = end
    return "".join([*kept, text[place:]])


@lru_cache(maxsize=_CAPACITY)
def _forms(value: str) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """(required part, pattern, growth) for the value, raw or escaped, and for base64 of texts that contain it."""
    return tuple(_made_forms(value))


def _made_forms(value: str) -> Iterator[tuple[str, re.Pattern[str], str]]:
    long = len(value) > 2 * _HEAD and set(value) <= _TOKEN_SIGNS
    head = value[:_HEAD] if long else value
    yield _anchor(head), re.compile("".join(map(_sign, head))), "right" if long else ""
    data = value.encode("utf-8", "surrogatepass")
    for before in range(3):
        # The first and last base64 characters also encode adjacent text.
        whole = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        core = whole[(0, 2, 3)[before] : len(whole) - (1 if (before + len(data)) % 3 else 0)][:_HEAD]
        if len(core) >= 8:
            yield _anchor(core), re.compile("".join(map(_sign64, core))), "both"


def _anchor(text: str) -> str:
    """The longest run of letters and digits, which no escaping changes."""
    return max(re.split(r"[^A-Za-z0-9]+", text), key=len)


def _sign(sign: str) -> str:
    """A pattern for one character: literal, percent-encoded (once or more), escaped for JSON or HTML."""
    if sign in _PLAIN:
        return sign
    plain = re.escape(sign)
    code = ord(sign)
    octets = "".join(rf"%(?:25)*(?i:{octet:02x})" for octet in sign.encode("utf-8", "surrogatepass"))
    named = re.escape("+" if sign == " " else html.escape(sign))
    return rf"(?:\\?{plain}|{octets}|\\u(?i:{code:04x})|&#0*{code};|&#[xX]0*(?i:{code:x});|{named})"


def _sign64(sign: str) -> str:
    """As :func:`_sign`, and in URL-safe base64."""
    other = {"+": "|-", "/": "|_"}.get(sign)
    return _sign(sign) if other is None else f"(?:{_sign(sign)}{other})"


class Secret:
    """Holds a secret so that repr, str, format, tracebacks with locals, pickling and JSON cannot show it.

    Only :meth:`reveal` gives the text, to be passed straight to the call that needs it.
    """

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value
        remember(value)

    def reveal(self) -> str:
        return self.__value

    def __repr__(self) -> str:
        return f"Secret({_HIDDEN})"

    def __str__(self) -> str:
        return _HIDDEN

    def __format__(self, spec: str) -> str:
        return format(_HIDDEN, spec)

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.__value.encode())

    def __hash__(self) -> int:
        return hash(self.__value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")

    def redact(self, text: str) -> str:
        """``text`` with every occurrence of the secret hidden, in any encoding; servers may echo it."""
        return _without(text, self.__value) if self.__value else text
