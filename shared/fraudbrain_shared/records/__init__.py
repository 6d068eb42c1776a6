"""The records that cross between the tiers: typed, frozen, JSON on the wire.

They evolve by four rules: a new field has a default; meaning and type stay; nothing is
reordered; an old sample is kept as a test (`tests/unit/records/samples`).
"""

from fraudbrain_shared.records.context import ContextClock, ContextState
from fraudbrain_shared.records.control import (
    ClauseText,
    ParameterHold,
    ParameterValue,
    Proposal,
    RuleSet,
    RuleText,
)
from fraudbrain_shared.records.dead_letter import DeadLetter, Reason
from fraudbrain_shared.records.decision import Decision, Outcome, Scores, Source, Versions
from fraudbrain_shared.records.epoch import GroupEpoch, LogGeneration, LogTopic
from fraudbrain_shared.records.event import Event
from fraudbrain_shared.records.label import Label, Labelled
from fraudbrain_shared.records.model import MODEL_FORMAT, Category, Histogram, ModelRelease, Trees
from fraudbrain_shared.records.progress import (
    CLOCK_HEADER,
    REPLAY_HEADER,
    STEP_HEADER,
    Progress,
    StepEnd,
    StepGoal,
    rejection_of,
)

__all__ = [
    "CLOCK_HEADER",
    "MODEL_FORMAT",
    "REPLAY_HEADER",
    "STEP_HEADER",
    "Category",
    "ClauseText",
    "ContextClock",
    "ContextState",
    "DeadLetter",
    "Decision",
    "Event",
    "GroupEpoch",
    "Histogram",
    "Label",
    "Labelled",
    "LogGeneration",
    "LogTopic",
    "ModelRelease",
    "Outcome",
    "ParameterHold",
    "ParameterValue",
    "Progress",
    "Proposal",
    "Reason",
    "RuleSet",
    "RuleText",
    "Scores",
    "Source",
    "StepEnd",
    "StepGoal",
    "Trees",
    "Versions",
    "rejection_of",
]
