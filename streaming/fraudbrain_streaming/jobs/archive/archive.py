"""What the archive does with a micro-batch."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from fraudbrain_streaming.jobs.archive.decoder import Decoder, decode
from fraudbrain_streaming.jobs.archive.first_wins import FirstWins
from fraudbrain_streaming.jobs.archive.lake_table import LakeTable
from fraudbrain_streaming.jobs.archive.raw import by_topic

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the records of a topic go and how they are read. `name` is the topic's name in a design, `events`."""

    name: str
    decoder: Decoder
    table: LakeTable


class Archive:
    """Files raw records, by the full names of their topics; any batch may be given again, cut in any way."""

    def __init__(self, shelves: Mapping[str, Shelf], rows: FirstWins) -> None:
        self._shelves = shelves
        self._to_hbase = {"events": rows.events, "decisions": rows.decisions}

    def file(self, batch_id: int, batch: pa.Table) -> None:
        """File one micro-batch. HBase comes before the lake: what the lake holds is in HBase."""
        start = time.monotonic()
        told = [self._file(self._shelves[topic], records) for topic, records in by_topic(batch).items()]
        seconds = time.monotonic() - start
        _LOG.info("archive batch=%d seconds=%.2f %s", batch_id, seconds, " ".join(told) or "no rows")

    def _file(self, shelf: Shelf, records: pa.Table) -> str:
        fresh = shelf.table.missing(records)
        rows, undecodable = decode(fresh, shelf.decoder)
        if shelf.name in self._to_hbase:
            self._to_hbase[shelf.name](rows)
        shelf.table.append(rows)
        repeated = len(records) - len(fresh)
        if undecodable:
            _LOG.warning("archive topic=%s undecodable=%d: kept as bytes", shelf.name, undecodable)
        return f"{shelf.name}={len(rows)}" + (f" {shelf.name}_repeated={repeated}" if repeated else "")
