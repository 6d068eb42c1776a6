"""What a replay of dead letters needs of Kafka and HBase."""

import time
from collections.abc import Mapping, Sequence
from typing import Final, Self

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.dead_letters import Headers
from fraudbrain_deploy.dead_letters_replay import PRODUCER_GIVES_UP_S, Candidate, Note
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.hbase import Table
from fraudbrain_deploy.progress import ProgressReader
from fraudbrain_deploy.tiers import ARCHIVE
from fraudbrain_shared.decision_row import decision_row
from fraudbrain_shared.records.dead_letter import REPLAY_OF_HEADER

_COLUMN: Final = b"m:note"
_DECISION: Final = b"d:decision"
_EVENT: Final = b"d:event"


class HBaseNotes:
    """The notes of replays, in the table `meta`."""

    def __init__(self, meta: Table) -> None:
        self._meta = meta

    def find(self, keys: Sequence[bytes]) -> dict[bytes, Note]:
        rows = self._meta.rows(keys)
        return {key: msgspec.json.decode(row[_COLUMN], type=Note) for key, row in rows.items() if _COLUMN in row}

    def replace(self, key: bytes, note: Note, *, old: Note | None) -> bool:
        before = None if old is None else msgspec.json.encode(old)
        return self._meta.replace(key, _COLUMN, msgspec.json.encode(note), old=before)


class DecidedEvents:
    """Which events have a decision: by the slow tier's table, and what it has not archived yet by the topic.

    Events whose type is only folded leave no decision: of these it is known which were archived.
    """

    def __init__(self, deployment: Deployment, decisions: Table) -> None:
        self._decisions = decisions if decisions.exists() else None
        self._unarchived = _unarchived(deployment)

    def __call__(self, candidates: Sequence[Candidate]) -> set[bytes]:
        rows = self._decisions.rows([each.row for each in candidates]) if self._decisions else {}
        return {
            each.row
            for each in candidates
            if each.row in self._unarchived or (_DECISION if each.is_decided else _EVENT) in rows.get(each.row, {})
        }


class EventsTopic:
    """The topic of events; sends at most `rate` records a second. A context manager."""

    def __init__(self, deployment: Deployment, rate: float) -> None:
        self._bootstrap = deployment.stack.kafka_bootstrap
        self._topic = deployment.names.topic("events")
        self._producer = kafka.producer(
            self._bootstrap, settings={"message.timeout.ms": int(PRODUCER_GIVES_UP_S * 1_000)}
        )
        self._pause_s = 1 / rate
        self._due_s = time.monotonic()
        self._failures: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.flush(PRODUCER_GIVES_UP_S)

    def ends(self) -> dict[int, int]:
        return kafka.end_offsets(self._bootstrap, self._topic)

    def replays_since(self, offsets: Mapping[int, int]) -> set[str]:
        records = kafka.read_all(self._bootstrap, self._topic, since=dict(offsets))
        headers = (dict(kafka.headers_of(each)).get(REPLAY_OF_HEADER) for each in records)
        return {each.decode(errors="replace") for each in headers if each}

    def wait_turn(self) -> None:
        time.sleep(max(0.0, self._due_s - time.monotonic()))
        self._due_s = max(self._due_s, time.monotonic()) + self._pause_s

    def send(self, key: bytes | None, value: bytes, headers: Headers) -> None:
        ours: list[tuple[str, str | bytes | None]] = [*headers]
        self._producer.produce(self._topic, value, key, headers=ours, on_delivery=self._delivered)
        self._producer.poll(0)

    def flush(self) -> None:
        left = self._producer.flush(2 * PRODUCER_GIVES_UP_S)
        if left or self._failures:
            raise UserError(
                f"{self._topic} took not every event: {(self._failures or ['no answer'])[0]}.",
                "See `fraudbrain stack status`; the same command goes on in a minute where this one ended.",
            )

    def _delivered(self, error: object, _: object) -> None:
        if error is not None:
            self._failures.append(str(error))


class _DecisionView(msgspec.Struct, frozen=True):
    event_id: str
    subject: str


def _unarchived(deployment: Deployment) -> set[bytes]:
    """The events of those decisions that the slow tier has not archived, by row; of all, where it never ran."""
    with ProgressReader(deployment) as progress:
        told = {key: record for key, record, _ in progress.read_to_end()}
    archived = told[ARCHIVE].offsets.get("decisions", {}) if ARCHIVE in told else {}
    since = {int(number): offset for number, offset in archived.items()}
    decode = msgspec.json.Decoder(_DecisionView).decode
    rows: set[bytes] = set()
    for message in kafka.read_all(deployment.stack.kafka_bootstrap, deployment.names.topic("decisions"), since=since):
        view = decode(message.value() or b"")
        rows.add(decision_row(view.subject, view.event_id))
    return rows
