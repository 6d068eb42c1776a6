"""A scenario as it was checked: immutable, complete, free of any particular business."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Literal

from fraudbrain_shared.expressions import Expression
from fraudbrain_shared.records import ClauseText, Outcome, RuleText

FieldType = Literal["string", "int", "double", "bool", "timestamp", "duration", "enum", "strings"]
LABEL: Final = "label"
"""What a context feature is `on` that folds labels."""
Read = str
"""A way to read a feature: count, sum, mean, min, max, stddev, first, last, distinct, streak, seconds_since, or
quantile_50 and the like, with a whole number of percent from 1 to 99. Checked at load."""


@dataclass(frozen=True, slots=True)
class Field:
    """A declared field of an event type. `entity` is the kind of thing that its value names.

    A timestamp is written in JSON as milliseconds since 1970 UTC, a duration as milliseconds, an enum as one
    of `values`, strings as a list of at most `max_items`. `min` and `max` of these times are milliseconds, too.
    """

    name: str
    type: FieldType
    optional: bool = False
    entity: str | None = None
    sensitive: bool = False
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    max_length: int | None = None
    values: tuple[str, ...] = ()
    max_items: int | None = None


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
class Window:
    """The last `length_ms` of event time, in hops of `hop_ms`."""

    length_ms: int
    hop_ms: int


@dataclass(frozen=True, slots=True)
class Within:
    """Since the value of `key` last changed, in log order: a trip, a session.

    On an event for which `key` can be evaluated and has another value, nothing is read.
    """

    key: Expression


@dataclass(frozen=True, slots=True)
class LastValues:
    """The last `count` values, in log order."""

    count: int


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Everything that was ever folded."""


Span = Window | Within | LastValues | Lifetime
"""How far back a profile feature reaches."""


@dataclass(frozen=True, slots=True)
class Feature:
    """What is folded of the records `on` something where `where` holds: the values of `value`, read in the
    ways of `read`.

    `id` is the hash of the definition: state is kept under it, so another definition never reads it.
    """

    name: str
    id: str
    on: str
    read: tuple[Read, ...]
    value: Expression | None = None
    where: Expression | None = None

    def read_names(self) -> tuple[str, ...]:
        """The names under which expressions read it, such as `spend_1d_count`."""
        return tuple(f"{self.name}_{read}" for read in self.read)


@dataclass(frozen=True, slots=True)
class ProfileFeature(Feature):
    """What the fast tier folds per subject, of events of the type `on`, over `span`.

    `value` and `where` read the event and, as of just before it, other profile features and derived features
    made of these. `made_of` are the definitions of those: part of its own, so that state folded by a shared
    `where` and `value` is not read once what these read has changed.
    """

    span: Span = Lifetime()
    made_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContextFeature(Feature):
    """What the slow tier folds per entity of a kind, over all subjects, of events of the type `on`, or of
    labels by the time they became known if that is `label`.

    Values are whole numbers. Once the context's clock is more than `stale_after_ms` behind, a decision
    that reads the feature is degraded.
    """

    window_ms: int = 0
    hop_ms: int = 0
    entity: str = ""
    stale_after_ms: int = 60_000


@dataclass(frozen=True, slots=True)
class RateTuner:
    """Moves a number down as the shrunken share of frauds among the labels of `window_ms` exceeds `target`.

    `strength` is how many labels the belief in `target` weighs, `min_count` the labels below which
    nothing is moved.
    """

    kind: ClassVar[str] = "rate"

    window_ms: int
    min_count: int
    target: float
    strength: float


@dataclass(frozen=True, slots=True)
class SurgeTuner:
    """Multiplies a number by `factor` while there are more events of the type `on`, where `where` holds,
    within `window_ms` than the `baseline_ms` before make plausible: less probable than `probability`.

    Fewer than `min_count` events move nothing.
    """

    kind: ClassVar[str] = "surge"

    on: str
    window_ms: int
    baseline_ms: int
    probability: float
    min_count: int
    factor: float
    where: Expression | None = None


@dataclass(frozen=True, slots=True)
class BudgetTuner:
    """Moves a score threshold to where `share` of the events of `window_ms` reach it.

    Fewer than `min_count` scores of the live release move nothing.
    """

    kind: ClassVar[str] = "budget"

    share: float
    window_ms: int
    min_count: int


@dataclass(frozen=True, slots=True)
class Tuning:
    """How the slow tier may move a parameter: evaluated at every multiple of `every_ms` of event time.

    At most `max_step` of the present value at once, or `max_step_abs`, whichever of the two is given; then
    not again before `min_interval_ms`; back to the default `expires_ms` after the last evidence.
    """

    tuner: RateTuner | SurgeTuner | BudgetTuner
    every_ms: int
    min_interval_ms: int
    expires_ms: int
    max_step: float | None = None
    max_step_abs: float | None = None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named, bounded number that rules and policy read as `param.name`.

    `per` is the event's field by whose value it is kept; without one it is global. With `scale` it is a
    threshold on the score: a value counts only under the model release for which it was set.
    """

    name: str
    type: Literal["int", "double"]
    default: float
    low: float
    high: float
    per: str | None = None
    description: str = ""
    scale: Literal["score"] | None = None
    tuning: Tuning | None = None


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What a model reads and how it is trained; the defaults are what `model.toml` leaves out.

    `features` are names of logged features. It is trained anew every `retrain_every_ms` of event time on
    the labelled decisions of the `train_window_ms` before (None: on all), if `min_frauds` of them or more
    are frauds. `starting_shares`: by parameter with `scale = "score"`, the share of the events it was
    trained on that score at least the parameter's starting value.
    """

    features: tuple[str, ...]
    retrain_every_ms: int
    train_window_ms: int | None = None
    starting_shares: dict[str, float] = field(default_factory=dict)
    min_frauds: int = 50
    rounds: int = 100
    depth: int = 4
    learning_rate: float = 0.1
    max_bin: int = 1024


@dataclass(frozen=True, slots=True)
class Money:
    """What errors cost, in minor units of the currency; `margin` is lost on a good payment declined."""

    amount: str
    review_cost: int
    margin: float


@dataclass(frozen=True, slots=True)
class Holdout:
    """Would-be declines that are let through for learning: `share` of those whose amount is at most `cap`."""

    share: float
    cap: int | None = None


@dataclass(frozen=True, slots=True)
class ColumnSource:
    """A column of a foreign file and how it becomes a field: multiplied by `scale`, read as a time in `zone`,
    or cut into texts at each `separator`; `constant` stands for a column that the file lacks."""

    column: str | None
    scale: float | None = None
    zone: str = "UTC"
    constant: str | int | float | bool | None = None
    separator: str | None = None


@dataclass(frozen=True, slots=True)
class RowChoice:
    """The rows of a foreign file whose `column` holds one of `values`, as text."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """How the rows of a foreign file, or those of `only`, become events of one type, and labels if it has them."""

    type: str
    event_id: ColumnSource
    event_time: ColumnSource
    fields: dict[str, ColumnSource]
    fraud: ColumnSource | None = None
    only: RowChoice | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a file must have."""
        sources = (self.event_id, self.event_time, *self.fields.values(), *([self.fraud] if self.fraud else []))
        chosen = [self.only.column] if self.only else []
        return tuple(dict.fromkeys([*(each.column for each in sources if each.column is not None), *chosen]))


@dataclass(frozen=True, slots=True)
class Scenario:
    """The description of one business, checked as a whole.

    `version` is the hash of its folder. `derived` are expressions over event, profile and context features
    and earlier derived features, in an order in which each reads only what stands before it. `context` is
    keyed by kind of entity and name, such as `terminal.fraud_7d`.
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
    holdout: Holdout | None = None
    importing: tuple[ImportMapping, ...] = ()
    description: str = ""
    context: dict[str, ContextFeature] = field(default_factory=dict)
    model: ModelDescription | None = None
    profile_is_known: bool = True
    """Whether expressions may rely on counts and sums of the profile, which are known even if nothing happened. Not so
    where the profile cannot be had, or the log lacks its beginning."""

    def without_profile(self) -> "Scenario":
        """The same for events whose profile cannot be had: all that it would say, and what is derived, is unknown."""
        derived = {name: replace(each, may_be_unknown=True) for name, each in self.derived.items()}
        return replace(self, profile_is_known=False, derived=derived)
