"""Keeps requests inside Marketo's rate limit, so that nothing is refused in the ordinary case.

100 calls in any 20 seconds, shared by all services of a subscription, of which Adobe asks each integration to take half where
several run: https://experienceleague.adobe.com/en/docs/marketo-developer/marketo/rest/marketo-integration-best-practices
Answers with 606 are still handled by the error table. Calls are sent one at a time, so the limit of ten at once is never
reached by this source alone. This file must not send requests.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

CALLS: Final = 100
SECONDS: Final = 20.0
# The vendor's window and ours are not the same clock: without this, the first request of a new window may be early.
MARGIN: Final = 0.05
GRAIN: Final = 0.001
"""Sums of seconds are rounded: a pause that ends exactly at the margin would be followed by one of nothing, for ever."""


class Pace:
    """Waits before a request when the window is full. `most` calls in 20 seconds, 0 = no limit; `now` counts seconds."""

    def __init__(self, most: int, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._most, self._now, self._sleep = most, now, sleep
        self._sent: deque[float] = deque()

    def in_words(self) -> str:
        """The limit that is kept."""
        return f"{self._most} in {SECONDS:g} s" if self._most else "none"

    def wait(self) -> None:
        """Returns when one more request is allowed, and counts it."""
        if not self._most:
            return
        while True:
            now = self._now()
            while self._sent and now - self._sent[0] >= SECONDS + MARGIN:
                self._sent.popleft()
            if len(self._sent) < self._most:
                self._sent.append(now)
                return
            self._sleep(SECONDS + MARGIN + GRAIN - (now - self._sent[0]))
