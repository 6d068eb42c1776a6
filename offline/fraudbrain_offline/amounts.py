"""What events are about in money, by the scenario's `[money]`, read from the archived events."""

from collections.abc import Callable
from math import isfinite
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from fraudbrain_offline.dataset import DataSet
from fraudbrain_offline.lake import open_lake
from fraudbrain_shared.expressions import check, compile_function
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.description import Money
from fraudbrain_shared.scenario.event_types import decoder
from fraudbrain_shared.scenario.scope import event_scope

Amounts: TypeAlias = npt.NDArray[np.float64]

# A duplicate has the payload of the first, and a conflict was not decided.
_FIRST: Final = """
    SELECT place, arg_min(value, "offset") AS value
    FROM asked JOIN events ON key = subject AND events.event_id = asked.event_id
    WHERE admitted AND epoch_ms(event_time) >= $since AND epoch_ms(event_time) <= $cut
    GROUP BY place
"""


def read_amounts(lake: Path, scenario: Scenario, data: DataSet, *, since_ms: int) -> Amounts:
    """For each event of the data set its amount in whole minor units; NaN before `since_ms`, and where it is not known.

    All are NaN in a scenario without `[money]`. Raises LakeUnreadable.
    """
    amounts = np.full(len(data), np.nan)
    if scenario.money is None:
        return amounts
    asked = np.flatnonzero(data.event_times >= since_ms)
    columns = {"place": asked, "subject": data.subjects[asked], "event_id": data.event_ids[asked]}
    with open_lake(lake) as connection:
        connection.register("asked", pa.table({name: pa.array(column) for name, column in columns.items()}))
        found = connection.execute(_FIRST, {"since": since_ms, "cut": data.cut_ms}).fetchall()
    amount_of = _amount_of(scenario, scenario.money)
    for place, value in found:
        amounts[place] = amount_of(value)
    return amounts


def _amount_of(scenario: Scenario, money: Money) -> Callable[[bytes], float]:
    decode = decoder(scenario).decode
    of_type = {
        each.name: compile_function(
            "amount",
            ("event", "event_time"),
            {"amount": check(money.amount, event_scope(each, scenario.event_types.values()))},
            errors_unknown=True,
        )
        for each in scenario.event_types.values()
        if each.decide
    }

    def amount_of(value: bytes) -> float:
        try:
            event: Any = decode(value)
        except msgspec.MsgspecError:  # archived under an earlier scenario
            return np.nan
        if event.type not in of_type:
            return np.nan
        [amount] = of_type[event.type](event.fields, event.event_time)
        return float(round(amount)) if isinstance(amount, int | float) and isfinite(amount) else np.nan

    return amount_of
