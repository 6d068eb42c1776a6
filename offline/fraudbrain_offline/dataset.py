"""A data set: the feature vectors that decisions logged, with the labels that were known at a moment.

"Log and wait": the vectors are what the fast tier saw just before each event, so nothing that became
known later can stand in them; labels that became known after the cut are not looked at.

Frauds and good events may become known after different times. Of the last days before a cut only the quicker
kind is known, and a model would take whatever is typical of late events for a sign of it. So events are left
out for which 95 % of the labels of either kind would not be there yet, by the delays of all labels that are.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from fraudbrain_offline.lake import open_lake
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.feature_set import feature_names, feature_set

Matrix: TypeAlias = npt.NDArray[np.float32]
Times: TypeAlias = npt.NDArray[np.int64]

_MATURE_SHARE: Final = 0.95

# Of several labels of an event the one that became known last counts; of those the one sent last.
_KNOWN: Final = """
    SELECT subject, event_id, fraud, epoch_ms(known_at) AS known_at FROM labels
    WHERE event_id IS NOT NULL AND epoch_ms(known_at) <= $cut
    QUALIFY row_number() OVER (
        PARTITION BY subject, event_id ORDER BY known_at DESC, append_time DESC, "partition" DESC, "offset" DESC
    ) = 1
"""
_DECIDED: Final = """
    SELECT * FROM effective_decisions
    WHERE epoch_ms(event_time) <= $cut AND epoch_ms(event_time) > $begin
        AND (context_clock IS NULL OR context_clock < event_time)
"""
_COUNTS: Final = f"""
    SELECT count(*) FILTER (fraud IS NULL), count(*) FILTER (fraud IS NOT NULL AND feature_set <> $feature_set)
    FROM ({_DECIDED}) LEFT JOIN ({_KNOWN}) USING (subject, event_id)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Labelled decisions in the order of (event time, event id). Times are UTC ms; a missing value is NaN.

    `rows` and `fraud` are what is learnt from. What was decided at the time is there to compare with: the
    `outcomes`, how many rules fired (`findings`), and the score of the model that was live then, NaN where none was.

    Beside it, `unlabelled` decisions had no label yet, `immature` ones had but were younger than `maturity_ms`,
    and those of `other_feature_sets` cannot be mixed with these: they were made before the scenario's
    features changed. Decisions that saw a context which already knew of later events are not counted at all.
    """

    features: tuple[str, ...]
    feature_set: str
    cut_ms: int
    rows: Matrix
    fraud: npt.NDArray[np.bool_]
    event_ids: npt.NDArray[np.str_]
    subjects: npt.NDArray[np.str_]
    event_times: Times
    known_at: Times
    types: npt.NDArray[np.str_]
    outcomes: npt.NDArray[np.str_]
    findings: npt.NDArray[np.int64]
    champion_scores: npt.NDArray[np.float64]
    maturity_ms: int
    immature: int
    unlabelled: int
    other_feature_sets: int

    def __len__(self) -> int:
        return len(self.fraud)

    @property
    def frauds(self) -> int:
        return int(self.fraud.sum())


def read_data_set(
    lake: Path, scenario: Scenario, features: tuple[str, ...], *, cut_ms: int, window_ms: int | None = None
) -> DataSet:
    """The decisions of the `window_ms` before the cut, labelled as was known at the cut.

    `features` are some of those that the scenario logs. Raises LakeUnreadable.
    """
    names = feature_names(scenario)
    logged = feature_set(names)
    asked = {"feature_set": logged, "cut": cut_ms, "begin": -1 if window_ms is None else cut_ms - window_ms}
    values = ", ".join(
        f"TRY_CAST(features[{names.index(name) + 1}] AS FLOAT) AS v{at}" for at, name in enumerate(features)
    )
    with open_lake(lake) as connection:
        [(unlabelled, others)] = connection.execute(_COUNTS, asked).fetchall()
        labelled: Any = connection.sql(
            f"""
            SELECT event_id, subject, epoch_ms(event_time) AS event_time, fraud, known_at,
                type, outcome, coalesce(len(findings), 0) AS findings, scores_champion, {values}
            FROM ({_DECIDED}) JOIN ({_KNOWN}) USING (subject, event_id)
            WHERE feature_set = $feature_set
            ORDER BY event_time, event_id, subject
            """,
            params=asked,
        ).to_arrow_table()
    maturity = maturity_ms(
        labelled["known_at"].to_numpy() - labelled["event_time"].to_numpy(), labelled["fraud"].to_numpy()
    )
    found = labelled.filter(pc.less_equal(labelled["event_time"], cut_ms - maturity))
    columns = [found.column(f"v{at}").to_numpy() for at in range(len(features))]
    rows = np.column_stack(columns).astype(np.float32)
    rows[~np.isfinite(rows)] = np.nan  # what float32 cannot hold is missing, to the kernel as well
    return DataSet(
        features=features,
        feature_set=logged,
        cut_ms=cut_ms,
        rows=rows,
        fraud=found.column("fraud").to_numpy().astype(np.bool_),
        event_ids=found.column("event_id").to_numpy().astype(np.str_),
        subjects=found.column("subject").to_numpy().astype(np.str_),
        event_times=found.column("event_time").to_numpy().astype(np.int64),
        known_at=found.column("known_at").to_numpy().astype(np.int64),
        types=found.column("type").to_numpy().astype(np.str_),
        outcomes=found.column("outcome").to_numpy().astype(np.str_),
        findings=found.column("findings").to_numpy().astype(np.int64),
        champion_scores=found.column("scores_champion").to_numpy().astype(np.float64),
        maturity_ms=maturity,
        immature=len(labelled) - len(found),
        unlabelled=unlabelled,
        other_feature_sets=others,
    )


def maturity_ms(delays_ms: Times, fraud: npt.NDArray[np.bool_]) -> int:
    """How old an event must be for its label to be known almost surely, be it a fraud or not.

    `delays_ms` say how long after their events the labels that there are became known.
    """
    kinds = [delays_ms[fraud], delays_ms[~fraud]]
    return max((int(np.quantile(kind, _MATURE_SHARE, method="higher")) for kind in kinds if len(kind)), default=0)
