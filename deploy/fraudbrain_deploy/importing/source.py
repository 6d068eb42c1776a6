"""A file as a stream of events in time order, with what is known of them later."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.importing.converted import plain
from fraudbrain_deploy.importing.event_times import event_times
from fraudbrain_deploy.importing.mapping import Mapped, map_foreign, map_own
from fraudbrain_deploy.importing.payloads import BATCH, Batch, event_batches, label_batches
from fraudbrain_deploy.importing.rejects import MappingReject, Rejects
from fraudbrain_deploy.importing.tables import column_names, read_columns
from fraudbrain_shared.scenario.description import Scenario

OWN_COLUMNS = frozenset({"event_id", "type", "event_time"})
LABEL_COLUMNS = ("event_id", "subject", "fraud", "known_at", "source")


@dataclass(frozen=True, slots=True)
class EventSource:
    """Events sorted by (event time, event id) and labels by (known at, event id), ready to be sent.

    All of it stands in columns in memory; the bytes to send are made while they are read.
    """

    name: str
    _events: pa.Table
    _labels: pa.Table
    _rejects: tuple[Rejects, ...]
    _subject: str
    _fields_of: dict[str, tuple[str, ...]]

    @property
    def events(self) -> int:
        """How many events there are."""
        return int(self._events.num_rows)

    @property
    def labels(self) -> int:
        """How many labels there are."""
        return int(self._labels.num_rows)

    @property
    def mapping(self) -> int:
        """How many rows could not be mapped."""
        return sum(map(len, self._rejects))

    @property
    def rows(self) -> int:
        """All rows: events and those that could not be mapped."""
        return self.events + self.mapping

    @property
    def span_ms(self) -> tuple[int, int]:
        """The event times of the first and the last event. Raises UserError where there is none."""
        if not self.events:
            raise UserError(f"{self.name} holds no event.")
        times = self._events["event_time"]
        return int(times[0].as_py()), int(times[-1].as_py())

    def event_batches(self, size: int = BATCH) -> Iterator[Batch]:
        """The events in order, at most `size` at a time; due at their event time."""
        return event_batches(self._events, self._subject, self._fields_of, size)

    def label_batches(self) -> Iterator[Batch]:
        """The labels in order; due when they are known."""
        return label_batches(self._labels)

    def rejects(self) -> Iterator[MappingReject]:
        """The rows that could not be mapped."""
        return chain.from_iterable(self._rejects)

    def truth(self) -> pa.Table:
        """`subject`, `event_id` and `fraud` of all labels, whenever they become known; the last word on each."""
        return self._labels.select(["subject", "event_id", "fraud"])

    def identities(self) -> pa.Table:
        """`event_id` and `subject` of all events, in the order in which they are sent."""
        return self._events.select(["event_id", f"field.{self._subject}"]).rename_columns(["event_id", "subject"])


def event_stream(
    scenario: Scenario, path: Path, *, label_delay_ms: int | None = None, limit: int | None = None
) -> EventSource:
    """The first `limit` events of `path` in time order.

    A folder holds `events.parquet` and maybe `labels.parquet`; a Parquet file with event_id, type and
    event_time is of the same format; any other Parquet or CSV file is read by the scenario's import
    mapping. A foreign file's labels are known `label_delay_ms` after their event, and left out without it.
    Raises UserError for what cannot be read at all.
    """
    if not path.exists():
        raise UserError(f"{path} does not exist.")
    events, own = _format(path)
    parts, rest = ([map_own(scenario, events)], []) if own else _map_foreign(scenario, events)
    rejects = (*(each.rejects for each in parts), *rest)
    table = _in_time_order(parts)
    if not table.num_rows and any(map(len, rejects)):
        first = next(chain.from_iterable(rejects))
        count = sum(map(len, rejects))
        raise UserError(f"None of {count:,} rows of {events} could be mapped.", f"Row {first.row}: {first.cause}.")
    sent = table if limit is None else table.slice(0, limit)
    labels = (
        _own_labels(path / "labels.parquet")
        if path.is_dir()
        else _delayed_labels(sent, scenario.subject, label_delay_ms)
    )
    if own and sent.num_rows < table.num_rows:
        labels = labels.filter(pc.is_in(labels["event_id"], plain(sent["event_id"])))
    fields_of = {kind.name: tuple(kind.fields) for kind in scenario.event_types.values()}
    return EventSource(path.name, sent, labels, rejects, scenario.subject, fields_of)


def _format(path: Path) -> tuple[Path, bool]:
    """The file that holds the events, and whether it is of the platform's own format."""
    if path.is_dir():
        file = path / "events.parquet"
        if not file.exists():
            raise UserError(f"{path} holds no events.parquet.", "`fraudbrain simulate` makes such a folder.")
        return file, True
    return path, set(column_names(path)) >= OWN_COLUMNS


def _map_foreign(scenario: Scenario, path: Path) -> tuple[list[Mapped], list[Rejects]]:
    """By the mappings whose columns the file has; several of them must choose their rows."""
    if not scenario.importing:
        raise UserError(
            f"{path} is a foreign file, and the scenario {scenario.name} does not say how to read one.",
            "Describe its columns in the scenario's import.toml.",
        )
    there = set(column_names(path))
    fitting = [each for each in scenario.importing if there.issuperset(each.columns)]
    if len(fitting) > 1 and not all(each.only for each in fitting):
        types = " and ".join(each.type for each in fitting)
        raise UserError(
            f"{path} can be read as {types} alike.", "Say in the scenario's import.toml by `only` which rows are which."
        )
    nearest = min(scenario.importing, key=lambda each: len(set(each.columns) - there))
    parts, rest = map_foreign(scenario, fitting or [nearest], path)
    return parts, [rest]


def _in_time_order(parts: Sequence[Mapped]) -> pa.Table:
    tables = [_table(each) for each in parts]
    table = tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="default")
    moments = table["event_time"].to_numpy()
    if len(moments) and np.all(moments[1:] > moments[:-1]):
        return table
    return table.take(pc.sort_indices(table, [("event_time", "ascending"), ("event_id", "ascending")]))


def _table(mapped: Mapped) -> pa.Table:
    columns = {"event_id": mapped.event_id, "type": mapped.type, "event_time": mapped.event_time}
    columns |= {f"field.{name}": column for name, column in mapped.fields.items()}
    if mapped.fraud is not None:
        columns["fraud"] = mapped.fraud
    return pa.table(columns)


def _delayed_labels(events: pa.Table, subject: str, delay_ms: int | None) -> pa.Table:
    if delay_ms is None or "fraud" not in events.column_names:
        return _label_table(
            [pa.array([], kind) for kind in (pa.string(), pa.string(), pa.bool_(), pa.int64(), pa.string())]
        )
    known = events.filter(events["fraud"].is_valid())
    return _label_table(
        [
            known["event_id"],
            known[f"field.{subject}"],
            known["fraud"],
            pc.add(known["event_time"], delay_ms),
            pa.repeat("import", known.num_rows),
        ]
    )


def _own_labels(path: Path) -> pa.Table:
    if not path.exists():
        return _delayed_labels(pa.table({}), "", None)
    raw = read_columns(path, LABEL_COLUMNS).table
    known_at = event_times(plain(raw["known_at"]), zone="UTC", scale=None).values
    labels = _label_table([raw["event_id"], raw["subject"], raw["fraud"], known_at, raw["source"]])
    if any(labels[name].null_count for name in LABEL_COLUMNS):
        raise UserError(f"{path} has empty or unreadable values.", f"A label needs all of {', '.join(LABEL_COLUMNS)}.")
    return labels.take(pc.sort_indices(labels, [("known_at", "ascending"), ("event_id", "ascending")]))


def _label_table(columns: list[object]) -> pa.Table:
    return pa.table(dict(zip(LABEL_COLUMNS, columns, strict=True)))
