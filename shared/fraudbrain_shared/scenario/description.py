"""A scenario as it was checked: immutable, complete, free of any particular business."""

from dataclasses import dataclass
from typing import Literal

from fraudbrain_shared.expressions import Expression
from fraudbrain_shared.records import ClauseText, Outcome, RuleText

FieldType = Literal["string", "int", "double", "bool"]
Read = Literal["count", "sum", "mean", "min", "max", "last", "seconds_since"]


@dataclass(frozen=True, slots=True)
class Field:
    """A declared field of an event type. `entity` is the kind of thing that its value names."""

    name: str
    type: FieldType
    optional: bool = False
    entity: str | None = None
    sensitive: bool = False
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class SafeDefault:
    """What a caller uses when no answer came in time; `up_to` compares with the money's amount."""

    outcome: Outcome
    up_to: int | None = None


@dataclass(frozen=True, slots=True)
class EventType:
    """A kind of event. Types with `decide` false are folded only. `deadline_ms` bounds the answer."""

    name: str
    decide: bool
    deadline_ms: int
    fields: dict[str, Field]
    safe_default: tuple[SafeDefault, ...]


@dataclass(frozen=True, slots=True)
class ProfileFeature:
    """What is folded per subject: for events of type `on` where `where` holds, the value of `value`
    over the last `window_ms`, in hops of `hop_ms`; read in the ways of `read`.

    `id` is the hash of the definition: state is kept under it, so another definition never reads it.
    `value` and `where` are checked against the fields of `on`.
    """

    name: str
    id: str
    on: str
    window_ms: int
    hop_ms: int
    read: tuple[Read, ...]
    value: Expression | None = None
    where: Expression | None = None

    def read_names(self) -> tuple[str, ...]:
        """The names under which expressions read it, such as `spend_1d_count`."""
        return tuple(f"{self.name}_{read}" for read in self.read)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named, bounded number that rules and policy read as `param.name`."""

    name: str
    type: Literal["int", "double"]
    default: float
    low: float
    high: float
    per: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Money:
    """What errors cost, in minor units of the currency; `margin` is lost on a good payment declined."""

    amount: str
    review_cost: int
    margin: float


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """A column of a foreign file and how it becomes a field: multiplied by `scale`, or read as a time
    in `zone`; `constant` stands for a column that the file lacks."""

    column: str | None
    scale: float | None = None
    zone: str = "UTC"
    constant: str | int | float | bool | None = None


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """How the rows of a foreign file become events of one type, and labels if it has them."""

    type: str
    event_id: ColumnSource
    event_time: ColumnSource
    fields: dict[str, ColumnSource]
    fraud: ColumnSource | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """The description of one business, checked as a whole.

    `version` is the hash of its folder. `derived` are expressions over event, profile features and
    earlier derived features, in an order in which each reads only what stands before it.
    """

    name: str
    version: str
    subject: str
    event_types: dict[str, EventType]
    profile: dict[str, ProfileFeature]
    derived: dict[str, Expression]
    parameters: dict[str, Parameter]
    rules: tuple[RuleText, ...]
    policy: tuple[ClauseText, ...]
    money: Money | None = None
    importing: ImportMapping | None = None
    description: str = ""
