"""From the raw records of a micro-batch to what the loop folds: each record once, whatever is delivered again."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import pyarrow as pa

from fraudbrain_shared.admission import Admission, AdmittedEvent, Rejected
from fraudbrain_shared.records import Decision, Label
from fraudbrain_streaming.jobs.loop.offsets import Offsets

LOOP_RAW: Final = pa.schema(
    [
        ("topic", pa.string()),
        ("partition", pa.int32()),
        ("offset", pa.int64()),
        ("append_time", pa.int64()),  # the broker's, UTC milliseconds
        ("key", pa.binary()),
        ("value", pa.binary()),
        ("step", pa.string()),  # of an event in a stepped replay: `run|number`
    ]
)


class PlacedLabel(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A label and where it stands in the log. `append_time` is the broker's, UTC milliseconds."""

    partition: int
    offset: int
    append_time: int
    label: Label


@dataclass
class Inputs:
    """What is new in a micro-batch, each topic in the order of (partition, offset).

    `reached` are the next offsets after it. `is_live`: some event belongs to no step of a replay.
    """

    events: list[AdmittedEvent] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    labels: list[PlacedLabel] = field(default_factory=list)
    reached: dict[str, dict[str, int]] = field(default_factory=dict)
    is_live: bool = False


class InputReader:
    """Reads batches of one scenario. What cannot be decoded is left out: the archive keeps and tells it."""

    def __init__(self, admission: Admission, topics: Mapping[str, str]) -> None:
        """`topics` are the short names by the full ones."""
        self._admit = admission.admit
        self._topics = topics
        self._decode_decision = msgspec.json.Decoder(Decision).decode
        self._decode_label = msgspec.json.Decoder(Label).decode
        self._take = {"events": self._event, "decisions": self._decision, "labels": self._label}

    def read(self, batch: pa.Table, applied: Offsets) -> Inputs:
        """What the batch holds beyond the offsets that were applied."""
        inputs = Inputs()
        for raw in _in_log_order(batch):
            topic, partition = self._topics[raw["topic"]], str(raw["partition"])
            reached = inputs.reached.setdefault(topic, {})
            if raw["offset"] < reached.get(partition, applied.get(topic, {}).get(partition, 0)):
                continue
            reached[partition] = raw["offset"] + 1
            try:
                self._take[topic](inputs, raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
        return inputs

    def _event(self, inputs: Inputs, raw: dict[str, Any]) -> None:
        inputs.is_live = inputs.is_live or raw["step"] is None
        event = self._admit(raw["value"], raw["key"], raw["append_time"])
        if not isinstance(event, Rejected):
            inputs.events.append(event)

    def _decision(self, inputs: Inputs, raw: dict[str, Any]) -> None:
        inputs.decisions.append(self._decode_decision(raw["value"] or b""))

    def _label(self, inputs: Inputs, raw: dict[str, Any]) -> None:
        label = self._decode_label(raw["value"] or b"")
        inputs.labels.append(PlacedLabel(raw["partition"], raw["offset"], raw["append_time"], label))


def cut(batch: pa.Table, pieces: int) -> list[pa.Table]:
    """The batch in so many pieces of much the same length, each partition in order; one piece if it is empty."""
    ordered = batch.sort_by([("offset", "ascending"), ("topic", "ascending"), ("partition", "ascending")])
    length = -(-len(ordered) // pieces)
    return [ordered.slice(start, length) for start in range(0, len(ordered), length)] if length else [ordered]


def _in_log_order(batch: pa.Table) -> Iterator[dict[str, Any]]:
    ordered = batch.sort_by([("topic", "ascending"), ("partition", "ascending"), ("offset", "ascending")])
    for start in range(0, len(ordered), 1_000):  # rows as dictionaries are many times as large as in Arrow
        yield from ordered.slice(start, 1_000).to_pylist()
