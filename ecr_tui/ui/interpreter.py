"""Python itself, as an interface wants it: nothing that goes on beside it may keep it from answering.

Looking for garbage stops all threads, whichever has set it off. Looking through all that the libraries for AWS bring
takes a tenth of a second; for 100,000 rows it is the same again. Nearly all of it lives until the end. So there are
more looks, each at fewer things: what has survived one that took long is not looked at again. It is still freed when
the last reference to it goes; only a circle of references among such things would stay.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import thread_time

LONG = 0.001
"""Seconds of a full look, after which what it has left is out of the next ones."""

OFTEN = (700, 10, 1)
"""Python's thresholds but for the last: a full look at every 14,000 new objects takes two or three milliseconds."""

SWITCH = 0.001
"""Seconds that a thread keeps the interpreter while others want it: a key that comes while eight threads read policies
would wait for all of them, each for Python's usual five milliseconds; and the first frame, for which a thread writes
to the terminal, for those."""

_begun = 0.0


@contextmanager
def for_an_interface() -> Iterator[None]:
    """While the app runs. What starting makes is there to stay: looking through it again and again is a tenth of the
    time to the first frame, so that only begins with :func:`ready`."""
    gc.disable()
    thresholds, switch = gc.get_threshold(), sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        yield
    finally:
        if _watch in gc.callbacks:
            gc.callbacks.remove(_watch)
        gc.set_threshold(*thresholds)
        sys.setswitchinterval(switch)
        gc.unfreeze()
        gc.enable()


def ready() -> None:
    """The first frame is on the screen. Nothing is changed without :func:`for_an_interface`: the program has others,
    who have not asked for it."""
    if not gc.isenabled():
        gc.callbacks.append(_watch)
        gc.set_threshold(*OFTEN)
        gc.freeze()
        gc.enable()


def keep() -> None:
    """What there is now lives on. For very many rows that have just come: to look through their lists once takes as
    long as a keystroke, and would fall into the next one."""
    if _watch in gc.callbacks:
        gc.freeze()


def _watch(phase: str, info: dict[str, int]) -> None:
    global _begun
    if info["generation"] < 2:
        return
    if phase == "start":
        _begun = thread_time()
    elif thread_time() - _begun > LONG:
        gc.freeze()
