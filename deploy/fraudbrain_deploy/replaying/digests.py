"""Hashes by which two replays can be compared: equal if every score, outcome, move and model was."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from fraudbrain_shared.records import ParameterValue


class Digests(msgspec.Struct, frozen=True, kw_only=True):
    """SHA-256 over (event id, score, outcome) in the order of (event time, event id); over (tick, name, id,
    value) in that order; over the model versions in the order of their release."""

    decisions: str
    moves: str
    models: str


def digests(decisions: pa.Table, moves: Iterable[ParameterValue], models: Iterable[str]) -> Digests:
    """Of the first decision of each event, and of what moved."""
    return Digests(
        decisions=_of_decisions(decisions),
        moves=_of(sorted((each.tick, each.name, each.id, each.value) for each in moves)),
        models=_of([(each,) for each in models]),
    )


def _of_decisions(decisions: pa.Table) -> str:
    keys = [("event_time", "ascending"), ("event_id", "ascending"), ("subject", "ascending")]
    ordered = decisions.take(pc.sort_indices(decisions, keys))
    digest = sha256()
    for part in ordered.select(["event_id", "score", "outcome"]).to_batches(max_chunksize=50_000):
        columns = (part.column(name).to_pylist() for name in ("event_id", "score", "outcome"))
        digest.update(_lines(list(zip(*columns, strict=True))))
    return digest.hexdigest()


def _of(rows: Sequence[tuple[object, ...]]) -> str:
    return sha256(_lines(rows)).hexdigest()


def _lines(rows: Sequence[tuple[object, ...]]) -> bytes:
    encode = msgspec.json.Encoder().encode
    return b"".join(encode(row) + b"\n" for row in rows)
