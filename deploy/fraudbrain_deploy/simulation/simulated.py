"""What a simulation yields, whatever its business."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fraudbrain_deploy.simulation.identifiers import Strings


@dataclass(frozen=True, slots=True)
class Rows:
    """Events as columns, in no order. `habit` says what lies behind each: empty where nothing does.

    `event_time` is UTC milliseconds; `fields` holds the scenario's fields by name.
    """

    event_id: Strings
    event_time: npt.NDArray[np.int64]
    fields: Mapping[str, npt.NDArray[np.int64] | Strings]
    fraud: npt.NDArray[np.bool_]
    habit: Strings


@dataclass(frozen=True, slots=True)
class Labels:
    """What becomes known of the events at the same positions, and when, UTC milliseconds."""

    fraud: npt.NDArray[np.bool_]
    known_at: npt.NDArray[np.int64]
    source: Strings


@dataclass(frozen=True, slots=True)
class Simulated:
    """Events of one type with their labels, in time order, and what is worth telling about the run."""

    type: str
    subject: str
    rows: Rows
    labels: Labels
    facts: Mapping[str, object] = field(default_factory=dict)
