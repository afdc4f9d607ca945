"""Keeps requests inside HubSpot's rate limits, so that nothing is refused in the ordinary case.

A private app may send 190 requests in any 10 seconds, and 5 searches a second, which are counted apart and carry no
rate-limit headers: https://developers.hubspot.com/docs/developer-tooling/platform/usage-guidelines and
https://developers.hubspot.com/docs/api-reference/search/guide. What `X-HubSpot-RateLimit-*` says overrules the 190 (accounts
differ). Answers with 429 are still handled by the error table. This file must not send requests.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

BURST: Final = 190
BURST_SECONDS: Final = 10.0
SEARCHES_A_SECOND: Final = 5
# No plan of HubSpot's allows more than 250 in 10 seconds (with the capacity pack). A server that names a limit far beyond
# has none, for searches neither, which no header tells of: the sandbox when its limits are off.
NO_LIMIT: Final = 2_500
# The vendor's window and ours are not the same clock: without this, the first request of a new window may be early.
MARGIN: Final = 0.05
GRAIN: Final = 0.001
"""Sums of seconds are rounded: a pause that ends exactly at the margin would be followed by one of nothing, for ever."""


class Pace:
    """Waits before a request when the window is full. `now` counts seconds (monotonic)."""

    def __init__(self, now: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._now, self._sleep = now, sleep
        self._most, self._seconds = BURST, BURST_SECONDS
        self._sent: deque[float] = deque()
        self._searches: deque[float] = deque()

    def in_words(self) -> str:
        """The limit in force."""
        return "none" if self._most > NO_LIMIT else f"{self._most:,} in {self._seconds:g} s"

    def wait(self, *, search: bool) -> None:
        """Returns when one more request of this kind is allowed, and counts it."""
        sent = self._searches if search else self._sent
        if self._most > NO_LIMIT:
            return
        most, seconds = (SEARCHES_A_SECOND, 1.0) if search else (self._most, self._seconds)
        while True:
            now = self._now()
            while sent and now - sent[0] >= seconds + MARGIN:
                sent.popleft()
            if len(sent) < most:
                sent.append(now)
                return
            self._sleep(seconds + MARGIN + GRAIN - (now - sent[0]))

    def learn(self, headers: Mapping[str, str]) -> None:
        """Takes over the account's own limit from an answer's headers."""
        most, interval = (
            headers.get("X-HubSpot-RateLimit-Max"),
            headers.get("X-HubSpot-RateLimit-Interval-Milliseconds"),
        )
        if most and interval and most.isdecimal() and interval.isdecimal() and int(most) > 0:
            self._most, self._seconds = int(most), int(interval) / 1000
