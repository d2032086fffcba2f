"""Extract records from pasted text: removes colors, boxes, log prefixes, escapes and line breaks."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

_ANSI = r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_]|[()][0-9A-B])"
_CARET_ANSI = r"(?:\^\[|\\u001b|\\x1b|\\033|\\e)\[[0-9;]*[A-Za-z]"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b-\u200f\u2060\ufeff]"
_ENTITY = r"(?i)&(quot|apos|lt|gt|amp|#39|#34|#x27|#x22);"
_ENTITIES = {
    "quot": '"',
    "apos": "'",
    "lt": "<",
    "gt": ">",
    "amp": "&",
    "#39": "'",
    "#34": '"',
    "#x27": "'",
    "#x22": '"',
}
_UNICODE_ESCAPE = r"\\+u([0-9a-fA-F]{4})"
_BOX = "".join(map(chr, (*range(0x2500, 0x25A0), *range(0x25A0, 0x2600)))) + "|"
_RULE = rf"^[{_BOX}=_*#+~\s-]{{3,}}$"
# Line prefixes of log collectors, CI systems and build tools.
_PREFIXES = (
    r"^\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?\s+",
    (
        r"^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*\s+[\d\w]+\s+"
        r"\d\d:\d\d:\d\d(?:\s+\d{4})?\s+"
    ),
    r"^(?:[\w.-]+ )?[\w./-]+\[\d+\]:\s+",
    r"^\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?\s+",
    r"^#\d+ (?:\d+\.\d+ )?",
    r"^\[[\w ./:-]{1,40}\]\s+",
    r"^[\w][\w.-]{0,60}\s+\|\s?",
    r"^##\[\w+\]",
    r"^::(?:error|warning)[^:]*::",
    r"^(?:\d+>|remote:|stderr:|stdout:|>+|&\d)\s+",
    r"^(?:Warning|Normal)\s+(?:Failed\w*|BackOff|InspectFailed)\s+\d+\w+(?:\s+\([^)]*\))?\s+\S+\s+",
)

_MARK = (
    r"(?:error|err|fatal|fata|failed|failure|denied|unauthorized|forbidden|panic|critical|exception|cannot|unable|"
    r"invalid|no basic auth|name unknown|tag invalid|manifest (?:invalid|unknown)|toomanyrequests|warning: failed)"
)
_STRONG = (
    rf"(?i)^\W*(?:{_MARK}\b|[\w.]*(?:Error|Exception)\b|an error occurred|\d{{3}} [A-Z])"
    r"|\blevel=\W?(?:error|fatal|panic)|\"level\":\s*\"(?:error|fatal)|\"errors?\"\s*:|\berr(?:or)?=|\bFATA?\[|\bERRO?\["
)
_NOISE = (
    r"(?i)^\s*Step \d+/\d+\s*:",
    r"^\s*--->|^\s*=> |^\s*\+\+* \S|^\s*[$%] \S|^\s*--- (?:PASS|FAIL|SKIP)\b|^\s*={3,}",
    r"^\s*(?:FROM|RUN|COPY|ADD|ENV|ARG|LABEL|WORKDIR|EXPOSE|VOLUME|CMD|ENTRYPOINT|USER|HEALTHCHECK)\s+\S",
    r"^\s*\[(?:\w+ )*\d+/\d+\]\s",
    r"\bPASS(?:ED)?\b|\bok\s{2,}\S|[\w/]+_test\.\w+:\d+:|\bas it should\b|^\s*[✓✔]",
    (
        r"(?i)^[0-9a-f]{12}: (?:Preparing|Waiting|Pushing|Pushed|Layer already|Pulling|Already|Download|Verifying|"
        r"Mounted|Pull complete)"
    ),
    r"^(?:DONE|CACHED|exporting|pushing layers|transferring|resolve |sha256:\S+ \d)",
    r"(?i)^(?:WARNING! (?:Using|Your password)|Login Succeeded|Unable to find image .* locally)",
)
_FAILING = rf"(?i)\b{_MARK}\b|\b[45]\d\d\b"
_OPERATION = (
    r"(?i)^(?:The push refers to|Trying to pull|Getting image source|Using default tag|Pulling (?:from|repository)|"
    r"running: docker|\+\+* *(?:sudo )?(?:docker|podman|skopeo|crane|buildah|helm|nerdctl|ctr|oras|regctl|"
    r"kaniko|aws)\b|"
    r"[$%] (?:sudo )?(?:docker|podman|skopeo|crane|buildah|helm|nerdctl|ctr|oras|aws)\b)"
)
_LEVEL = r"(?i)(?:error|warn(?:ing)?|fatal|info|debug)\b(?::| response from)"
_BEGINS = (
    r"error|err|warn(?:ing)?|fatal|fata|info|debug|trace|denied|unauthorized|unknown|note|hint|caused by|name unknown|"
    r"tag invalid|manifest (?:invalid|unknown)|blob unknown|toomanyrequests|panic|usage|see|exit|no basic auth|cannot|"
    r"failed|unable"
)
_NEW_RECORD = (
    rf"(?i)^(?:(?:{_BEGINS})\s*[:=\[!]|error response from|make(?:\[\d+\])?:|time=|level=|\{{|"
    r"[\w.]+(?:Error|Exception)\b|an error occurred|[0-9a-f]{12}: |"
    r"(?:The push refers|Trying to|Getting image|Using default|Copying |Pulling |Pushing |Writing manifest|Login )|"
    r"at [\w.$<]+\(|eof\b|retrying in)"
)
_TERMINALS = frozenset({72, 78, 79, 80, 100, 120, 132, 140, 160, 180, 200})
_MAYBE_NEW = rf"(?i)^(?:{_BEGINS})\b"
"""Begins a message, or continues one if the line above was full."""


class Record(NamedTuple):
    """One message on one line. ``strong``: marked as an error; ``noise``: unrelated output."""

    text: str
    strong: bool
    noise: bool


_FIRST, _LAST, _LONGEST = 500, 2000, 3000
"""Limits for long logs: records from the beginning and the end, and characters per record."""


@lru_cache(maxsize=64)
def records(text: str) -> tuple[Record, ...]:
    """The messages in ``text``, in order; for a long log, the first and last ones.

    Messages before an engine's last operation ("The push refers to repository …") are noise if something after it
    fails.
    """
    lines = [shortened(line) for line in _ends(_paragraphs(_ends(plain(text).split("\n"))))]
    found = [Record(line, bool(re.search(_STRONG, line)), any(re.search(n, line) for n in _NOISE)) for line in lines]
    begins = [number for number, line in enumerate(lines) if re.match(_OPERATION, line)]
    if begins:
        last = begins[-1]
        if any(not one.noise and _fails(one.text) for one in found[last + 1 :]):
            found = [Record(o.text, o.strong, o.noise or n < last) for n, o in enumerate(found)]
    return tuple(found)


def shortened(line: str, longest: int = _LONGEST) -> str:
    """Shorten a line that is longer than any message by dropping its middle."""
    return line if len(line) <= longest else f"{line[: longest * 2 // 3]} … {line[-longest // 3 :]}"


def _ends(lines: list[str]) -> list[str]:
    return lines if len(lines) <= _FIRST + _LAST else [*lines[:_FIRST], *lines[-_LAST:]]


def _fails(line: str) -> bool:
    return bool(re.search(_FAILING, line) or re.search(r"\bEOF\b|retrying", line, re.IGNORECASE))


def one_line(text: str) -> str:
    """The whole text joined as if every line break were a wrap, to match known sentences."""
    return _joined([line for line in (_inside(line)[0] for line in plain(text).split("\n")) if line])


def _unfolded(lines: list[str]) -> list[str]:
    """Rejoin lines that a terminal cut at its width, anywhere in a word."""
    found: list[str] = []
    run: list[str] = []
    for line in [*lines, ""]:
        if run and not (line and _is_cut(run, line)):
            found += [_uncut(run)] if _is_certain(run[:-1]) else run
            run = []
        if line:
            run.append(line)
        else:
            found.append(line)
    return found


def _uncut(run: list[str]) -> str:
    width = max(map(len, run))
    return "".join([*(part.ljust(width) for part in run[:-1]), run[-1]])


def _is_certain(cut: list[str]) -> bool:
    """Whether the cut is not by chance: two lines of the same length, or three that differ by a space."""
    return len(cut) > 2 or (len(cut) == 2 and len(cut[0]) == len(cut[1]))


def _is_cut(run: list[str], line: str) -> bool:
    """Whether ``line`` continues the cut lines of ``run``: all have the width of a terminal, except for a final
    space."""
    width = max(map(len, run))
    return (
        width in _TERMINALS
        and all(len(part) in (width, width - 1) for part in run)
        and len(line) <= width
        and not (re.match(_NEW_RECORD, line) or re.match(_OPERATION, line) or _inside(line)[0] != line.strip())
    )


def plain(text: str) -> str:
    """Remove colors, control characters and escapes of JSON and XML; normalize line ends."""
    text = re.sub(_CARET_ANSI, "", re.sub(_ANSI, "", text))
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = re.sub(_CONTROL, "", text).replace("\u00a0", " ")
    # Before escapes are removed, because they count in the width.
    text = "\n".join(_unfolded(text.split("\n")))
    text = re.sub(_UNICODE_ESCAPE, lambda match: chr(int(match[1], 16)), text)
    if re.search(r"\\+[\"']", text):
        text = re.sub(r"\\+([\"'])", r"\1", text)
        text = re.sub(r"\\+r?\\*n", "\n", text)
        text = re.sub(r"\\+[tr]", " ", text)
    elif re.search(r"\\n\\?t?", text) and "\n" not in text.strip():
        text = re.sub(r"\\n(?:\\t)?", "\n", text)
    return re.sub(_ENTITY, lambda match: _ENTITIES[match[1].lower()], text).replace("\\/", "/")


def _inside(line: str) -> tuple[str, bool]:
    """(line without box and prefixes, whether it was in a box)."""
    line = _without_prefixes(line.strip())
    if line and line[0] in _BOX and (len(line) == 1 or line.lstrip(_BOX)[:1] in ("", " ")):
        return _without_prefixes(line.strip(_BOX + " ")), True
    return "" if re.match(_RULE, line) else line, False


def _without_prefixes(line: str) -> str:
    before = ""
    while line != before:
        before = line
        for prefix in _PREFIXES:
            line = re.sub(prefix, "", line, count=1)
    return line


class _Line(NamedTuple):
    """``text`` without box and prefixes; ``length`` with them, for the wrap's width."""

    text: str
    boxed: bool
    length: int

    def is_full(self, following: _Line, width: int) -> bool:
        """Whether the first word of the next line did not fit into this one."""
        return self.length + 1 + len(following.first_word) > width

    @property
    def first_word(self) -> str:
        return self.text.split(" ", 1)[0]

    @property
    def is_noise(self) -> bool:
        return bool(re.match(_OPERATION, self.text)) or any(re.search(noise, self.text) for noise in _NOISE)


def _paragraphs(lines: list[str]) -> list[str]:
    """Split into records: at empty lines, and within a block at lines that do not continue the previous one."""
    found: list[str] = []
    block: list[_Line] = []
    for raw in [*lines, ""]:
        text, boxed = _inside(shortened(raw, 4 * _LONGEST))
        if text:
            block.append(_Line(text, boxed, len(text) if boxed else len(raw.strip())))
        elif block:
            found += _records_of(block)
            block = []
    return found


def _records_of(block: list[_Line]) -> list[str]:
    # A word longer than the width has its own line.
    width = max((line.length for line in block if " " in line.text), default=max(line.length for line in block))
    if _is_one_message(block, width):
        return [_joined([line.text for line in block])]
    found: list[list[_Line]] = []
    for line in block:
        if found and _continues(found[-1], line, width):
            found[-1].append(line)
        else:
            found.append([line])
    return [_joined([line.text for line in one]) for one in found]


def _is_one_message(block: list[_Line], width: int) -> bool:
    """Whether no line had room for the next one's first word, and none begins like a message."""
    if len(block) < 3 or not 40 <= width <= 200 or any(line.is_noise for line in block):
        return False
    return all(
        above.is_full(line, width) and (above.text.endswith(":") or not re.match(_LEVEL, line.text))
        for above, line in pairwise(block)
    )


def _continues(paragraph: list[_Line], line: _Line, width: int) -> bool:
    above, text = paragraph[-1], line.text
    full = above.is_full(line, width)
    if line.is_noise or above.is_noise or re.match(_OPERATION, paragraph[0].text):
        return False
    if above.text.endswith((":", ",", "(")):
        return True
    if re.match(_NEW_RECORD, text):
        return line.boxed and full
    if re.match(_MAYBE_NEW, text) and not full:
        return False
    if line.boxed:
        return True
    if above.text.endswith((".", "!", "}", ";")) and not text[:1].islower():
        return False
    begins_within = text[:1].islower() or text[:1] in "(\"'/0123456789<"
    return (full and (above.length >= 45 or len(line.first_word) >= 25)) or (above.length >= 40 and begins_within)


def _joined(lines: list[str]) -> str:
    """Rejoin words that were wrapped at a hyphen, and URLs wrapped anywhere."""
    parts = lines[:1]
    for above, line in pairwise(lines):
        whole = (above[-1:] == "-" and above[-2:-1].isalnum() and line[:1].isalnum()) or _broken_name(above, line)
        parts += [line] if whole else [" ", line]
    return "".join(parts)


def _broken_name(above: str, line: str) -> bool:
    """A URL or ARN longer than the wrap's width continues in the next line."""
    last, first = above.rsplit(" ", 1)[-1], line.split(" ", 1)[0]
    if not re.match(r"[\"'(]*(?:https?://|arn:|[\w*]+\.dkr[.-]ecr)", last) or last.endswith(":"):
        return False
    goes_on = re.match(r"[\w.-]*[/:.\d_=-]|[0-9a-f]{8,}", first) and not re.match(r"(?:is|not|on|in)\b", first)
    return last.endswith(("/", ".", "-", "=")) or bool(len(last) >= 40 and goes_on)
