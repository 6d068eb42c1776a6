"""What an undisturbed run makes of the log: one event after the other, nothing lost, nothing late, nothing twice."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from fraudbrain_realtime.ports import ControlRecord, Message
from fraudbrain_shared.admission import Rejected
from fraudbrain_shared.decisions import Application, Undecided
from fraudbrain_shared.features import Profile, encode_profile
from fraudbrain_shared.records import Decision, Reason, Source
from tests.faults.simulator.cluster import Cluster
from tests.faults.simulator.happenings import DEADLY
from tests.faults.simulator.shop import ADMISSION, FOLD, SCENARIO, core_of, rules_acting_at

Place = tuple[int, int]
"""Partition and offset."""

_APPLICATION: Final = Application(SCENARIO, FOLD)
_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Undisturbed:
    """By place what became of each event; and the rows at the end, by partition and subject."""

    decided: dict[Place, bytes] = field(default_factory=dict)
    ids: dict[Place, tuple[str, str]] = field(default_factory=dict)
    """Subject and event id of each event that is decided, also of its repetitions."""
    rejected: dict[Place, Reason] = field(default_factory=dict)
    undecided: dict[Place, Undecided] = field(default_factory=dict)
    rows: dict[tuple[int, str], bytes] = field(default_factory=dict)


def undisturbed(cluster: Cluster, epoch: int) -> Undisturbed:
    """Of all that stands in the log."""
    found = Undisturbed()
    for partition, log in enumerate(cluster.events):
        profiles: dict[str, Profile] = {}
        for message in log:
            _take(found, profiles, message, cluster.rules, epoch)
        for subject, profile in profiles.items():
            if profile.epoch:
                found.rows[partition, subject] = encode_profile(profile)
    return found


def _take(
    found: Undisturbed, profiles: dict[str, Profile], message: Message, rules: list[ControlRecord], epoch: int
) -> None:
    place = message.partition, message.offset
    payload = message.value or b""
    event = ADMISSION.admit(payload, message.key, message.append_time)
    if isinstance(event, Rejected):
        found.rejected[place] = event.reason
        return
    if DEADLY in payload:
        found.rejected[place] = Reason.POISON_CRASH
        return
    subject = ADMISSION.subject(event)
    profile = profiles.setdefault(subject, Profile(subject))
    core = core_of(rules_acting_at(message.append_time, rules))
    source = Source(epoch, message.partition, message.offset, message.append_time)
    ending = _APPLICATION.apply(
        profile,
        event,
        payload,
        lambda event, before, readings: core.decide(event, before, source, readings=readings),
    )
    profile.epoch, profile.last_applied = epoch, message.offset
    if event.type == "payment":
        found.ids[place] = subject, event.event_id
    if isinstance(ending, Decision):
        found.decided[place] = _encode(ending)
    elif isinstance(ending, Rejected):
        found.rejected[place] = ending.reason
    else:
        found.undecided[place] = ending
