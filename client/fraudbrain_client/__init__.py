"""The source client: sends events to fraudbrain and waits for their decisions, each until its type's deadline."""

from fraudbrain_client.answer import Answer, NotDecided
from fraudbrain_client.client import Client, NoSuchSpace, NotAdmitted
from fraudbrain_shared.records import Decision, Event, Outcome
from fraudbrain_shared.scenario import ScenarioError

__all__ = [
    "Answer",
    "Client",
    "Decision",
    "Event",
    "NoSuchSpace",
    "NotAdmitted",
    "NotDecided",
    "Outcome",
    "ScenarioError",
]
