"""The sandbox as AWS is: far away, and limited in its rate. ``N LATENCY RATE BURST``; ends with its stdin."""

from __future__ import annotations

import gc
import json
import sys
import threading
import time

from ecr_tui.sandbox.aws_errors import ServiceError
from ecr_tui.sandbox.sandbox import Sandbox
from ecr_tui.sandbox.world import AwsCall


class Distance:
    """Every call takes ``latency`` seconds longer; ECR's go through a token bucket where there is a ``rate``."""

    def __init__(self, latency: float, rate: float, burst: float) -> None:
        self._latency, self._rate, self._burst = latency, rate, burst
        self._tokens, self._filled = burst, time.monotonic()
        self._lock = threading.Lock()

    def __call__(self, call: AwsCall) -> ServiceError | None:
        time.sleep(self._latency)
        if not self._rate or call.service != "ecr":
            return None
        with self._lock:
            now = time.monotonic()
            self._tokens = min(self._burst, self._tokens + (now - self._filled) * self._rate)
            self._filled = now
            if self._tokens < 1:
                return ServiceError("ThrottlingException", "Rate exceeded")
            self._tokens -= 1
            return None


def main(repositories: int, latency: float, rate: float, burst: float) -> None:
    with Sandbox().start(repositories) as sandbox:
        gc.freeze()
        sandbox.fault = Distance(latency, rate, burst)
        print(json.dumps(sandbox.env()), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(float, sys.argv[2:]))
