"""The first record of a row wins in HBase, however the log is cut, repeated and shuffled."""

import pyarrow as pa
from hypothesis import given, strategies as st

from fraudbrain_shared.decision_row import decision_row
from fraudbrain_streaming.jobs.archive.first_wins import DECISION_COLUMN, FirstWins, timestamp
from tests.unit.streaming.archiving import Cells

LOG = st.lists(st.integers(0, 5), min_size=1, max_size=40)  # which event the decision at each offset is about
CUT = st.tuples(st.integers(0, 39), st.integers(1, 40))


def rows(log: list[int], start: int, stop: int) -> pa.Table:
    offsets = range(start, min(stop, len(log)))
    return pa.table(
        {
            "partition": pa.array([0 for _ in offsets], pa.int32()),
            "offset": pa.array(offsets, pa.int64()),
            "subject": ["card" for _ in offsets],
            "event_id": [str(log[offset]) for offset in offsets],
            "value": pa.array([str(offset).encode() for offset in offsets], pa.binary()),
        }
    )


@given(LOG, st.lists(CUT, max_size=12), st.integers(1, 7))
def test_the_first_wins_whatever_is_written_in_whatever_pieces(
    log: list[int], cuts: list[tuple[int, int]], records_per_chunk: int
) -> None:
    cells = Cells()
    writer = FirstWins(cells, table="t", generation=1, records_per_chunk=records_per_chunk)
    for start, length in [*cuts, (0, len(log)), *cuts]:
        writer.decisions(rows(log, start, start + length))
    first = {decision_row("card", str(which)): str(log.index(which)).encode() for which in log}
    assert cells.values(DECISION_COLUMN) == first


@given(LOG, st.lists(CUT, min_size=1, max_size=12))
def test_of_what_was_written_the_first_is_shown(log: list[int], cuts: list[tuple[int, int]]) -> None:
    cells = Cells()
    for start, length in cuts:
        FirstWins(cells, table="t", generation=1).decisions(rows(log, start, start + length))
    written = {offset for start, length in cuts for offset in range(start, min(start + length, len(log)))}
    first = {decision_row("card", str(log[offset])): str(offset).encode() for offset in sorted(written, reverse=True)}
    assert cells.values(DECISION_COLUMN) == first


def test_an_earlier_generation_wins_over_any_offset() -> None:
    assert timestamp(1, (1 << 44) - 1) > timestamp(2, 0) > timestamp(2, 1) > 0
