"""The reference scenario's model: trained, released and measured by the offline tier in its own process."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from fraudbrain_deploy.bench.core.stream import reference_stream
from fraudbrain_deploy.bench.measuring_process import measured
from fraudbrain_deploy.bench.rules.cases import REFERENCE, reference
from fraudbrain_shared.testing.alternating import Tell

# The same kind of stream that is measured on, of fewer subjects, so that they have some history.
_SUBJECTS: Final = 1_000
_EVENTS: Final = 4_000


class Scoring(msgspec.Struct):
    """What the offline tier's own bench prints, of which we know what we show."""

    versions: dict[str, str]
    ours_us: list[float]
    xgboost_us: list[float]
    max_difference: float
    rows: int
    trees: int
    nodes: int
    growth_us: dict[int, list[float]]


def scored(release: Path, pace: Sequence[str], *, at_most_s: float, tell: Tell) -> Scoring:
    """Trains the model, writes its release, and measures it at that pace. Raises UserError."""
    with TemporaryDirectory(prefix="fraudbrain-bench-") as folder:
        events = Path(folder) / "events.jsonl"
        stream = reference_stream(reference(), _SUBJECTS)
        events.write_bytes(b"".join(event.value + b"\n" for event in stream.take(_EVENTS)))
        options = ["--scenario", str(REFERENCE), "--events", str(events), "--release", str(release), *pace]
        answer = measured("fraudbrain_offline", ["bench", *options], at_most_s=at_most_s, tell=tell)
        return msgspec.json.decode(answer, type=Scoring)
