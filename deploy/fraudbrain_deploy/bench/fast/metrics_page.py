"""A worker's page of metrics, as far as the bench reads it."""

import re
import time
from math import inf
from typing import Final
from urllib.request import urlopen

from fraudbrain_deploy.errors import UserError

_PREFIX: Final = "fraudbrain_"
_BUCKET: Final = re.compile(r'le="([^"]+)"')
_ANSWER_S: Final = 5.0
_SHOWN_S: Final = 10.0
_LOOK_EVERY_S: Final = 0.1


class MetricsPage:
    """The page's text, read at one moment."""

    def __init__(self, text: str) -> None:
        self._samples: list[tuple[str, str, float]] = []
        for line in text.splitlines():
            if line.startswith(_PREFIX):
                named, _, value = line.rpartition(" ")
                name, _, labels = named.partition("{")
                self._samples.append((name.removeprefix(_PREFIX), labels, float(value)))

    def __contains__(self, name: str) -> bool:
        return any(each == name for each, _, _ in self._samples)

    def value(self, name: str) -> float:
        """Of a metric, summed over its labels; 0 where there is none."""
        return sum(value for each, _, value in self._samples if each == name)

    def longest_s(self, name: str) -> float | None:
        """Of a histogram of seconds the bound that nothing exceeded; infinite where some exceeded the last one, None
        where nothing was counted. How far below it the longest was is not known."""
        buckets = {
            float(found[1]): value
            for each, labels, value in self._samples
            if each == f"{name}_bucket" and (found := _BUCKET.search(labels))
        }
        counted = buckets.get(inf, 0.0)
        return min(bound for bound, value in buckets.items() if value == counted) if counted else None


def read_page(address: str) -> MetricsPage:
    """The page at a worker's host:port, once it shows anything. Raises UserError where it does not."""
    deadline = time.monotonic() + _SHOWN_S
    why = "it is empty"
    while time.monotonic() < deadline:
        try:
            with urlopen(f"http://{address}/metrics", timeout=_ANSWER_S) as answer:
                page = MetricsPage(answer.read().decode())
        except OSError as error:
            why = str(error)
        else:
            if "memory_bytes" in page:
                return page
        time.sleep(_LOOK_EVERY_S)
    raise UserError(f"The worker's page of metrics at {address} shows nothing: {why}.")
