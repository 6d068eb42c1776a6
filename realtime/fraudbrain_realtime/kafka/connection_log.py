"""What a client of the log says of its connections: one line when a broker goes, and one when it answers again."""

import logging
import re
from typing import Any, Final

import msgspec

log = logging.getLogger(__name__)

_FAILED: Final = re.compile(
    r"(\S+:\d+)(?:/\w+)?: (?:Connect to|Connection|Disconnected|Failed to (?:resolve|connect)|(?:Receive|Send) failed"
    r"|\d+ request\(s\) timed out: disconnect)"
)


class ConnectionLog:
    """Takes the place of a client's logger. The client tells every failed attempt, many in a second, and never that it
    is connected again; that stands in its statistics. All that is not about connections is logged as it comes.
    """

    def __init__(self, client: str) -> None:
        self._client = client
        self._away: set[str] = set()

    def settings(self) -> dict[str, Any]:
        """For a client that is polled all the time."""
        return {**self.logging(), "statistics.interval.ms": 1_000, "stats_cb": self.on_statistics}

    def logging(self) -> dict[str, Any]:
        """For one that is not, whose statistics would pile up: who uses it says what it `answered`."""
        return {"log_level": 3, "logger": self}

    def log(self, level: int, text: str, *parts: object) -> None:
        """As the client calls its logger; the last part is what happened."""
        said = str(parts[-1]) if parts else text
        failed = _FAILED.search(said)
        if failed is None:
            log.log(level, "%s: %s", self._client, text % parts)
        elif failed[1] not in self._away:
            self._away.add(failed[1])
            log.warning("%s: broker %s is away: %s", self._client, failed[1], said[failed.end(1) :].partition(": ")[2])

    def on_statistics(self, text: str) -> None:
        """The client's statistics, as JSON."""
        if not self._away:
            return
        try:
            brokers = _decode(text).brokers.values()
        except msgspec.MsgspecError:  # then nobody hears that it is back
            return
        for address in {each.nodename for each in brokers if each.state == "UP"} & self._away:
            self._answers(address)

    def answered(self) -> None:
        """What was asked of the log was answered: its brokers are there."""
        for address in sorted(self._away):
            self._answers(address)

    def _answers(self, address: str) -> None:
        self._away.discard(address)
        log.warning("%s: broker %s answers again", self._client, address)


class _Broker(msgspec.Struct):
    nodename: str = ""
    state: str = ""


class _Statistics(msgspec.Struct):
    brokers: dict[str, _Broker] = {}


_decode = msgspec.json.Decoder(_Statistics).decode
