"""A decision: the answer for one event, with everything needed to decide it again."""

from typing import Literal

import msgspec

Outcome = Literal["approve", "review", "decline"]


class Source(msgspec.Struct, frozen=True, gc=False):
    """Where the event stands in the log. `append_time` is the broker's, UTC milliseconds."""

    epoch: int
    partition: int
    offset: int
    append_time: int


class Versions(msgspec.Struct, frozen=True, gc=False):
    """What made the decision: hash of the scenario's folder, version of rules and policy, the build, the release
    that scored, and the one that was scored in its shadow."""

    scenario: str
    rules: str
    build: str
    model: str | None = None
    challenger: str | None = None


class Scores(msgspec.Struct, frozen=True, gc=False):
    """Probabilities of fraud given by the models; none while no model was published. The challenger's is for
    comparison only and never changes an outcome."""

    champion: float | None = None
    challenger: float | None = None


class Decision(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The answer for one event. Of several for one event the first by (generation, offset) is effective.

    `findings` are the rules that fired, `unknown` and `failed` those that could not be evaluated.
    `features` are the values of the feature set whose hash is `feature_set`, in its order, as they were just before the
    event; whole numbers are written without a point. `degraded` gives the reasons why something was missing.
    """

    event_id: str
    type: str
    subject: str
    event_time: int
    source: Source
    outcome: Outcome
    versions: Versions
    group: str
    generation: int
    feature_set: str
    features: tuple[float | None, ...]
    entities: dict[str, str] = {}
    findings: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    scores: Scores = Scores()
    degraded: tuple[str, ...] = ()
    late: bool = False
    overdue: bool = False
    context: dict[str, float | None] = {}
    parameters: dict[str, float] = {}
    context_clock: int | None = None
