"""A small campaign without faults, recorded in memory: the engine's own core decides what the generator makes up."""

import time
from collections import defaultdict
from dataclasses import dataclass, field
from zlib import crc32

import msgspec

from fraudbrain_deploy.faults.campaign import SCENARIO
from fraudbrain_deploy.faults.checker import Bad, Controls, Judgement, Partition, Record, Row, Sent, judge
from fraudbrain_deploy.faults.checker.history import hash64
from fraudbrain_deploy.faults.events import Events
from fraudbrain_deploy.faults.kinds import DISORDER, DUPLICATES, POISON
from fraudbrain_shared.admission import MAX_EVENT_BYTES, Admission, Rejected
from fraudbrain_shared.controls import own_rules
from fraudbrain_shared.decisions import Application, DecisionCore, Origin
from fraudbrain_shared.features import Profile, ProfileFold, encode_profile
from fraudbrain_shared.records import DeadLetter, Decision, Source
from fraudbrain_shared.scenario.load import load_scenario

TOPIC = "fraudbrain.faults.events"
EPOCH = 1
_SCENARIO = load_scenario(str(SCENARIO))
_RULES = own_rules(_SCENARIO)


@dataclass
class Recorded:
    """What the judge is shown, in lists that a test may spoil."""

    groups: tuple[str, ...]
    events: defaultdict[int, list[Record]] = field(default_factory=lambda: defaultdict(list))
    decisions: defaultdict[int, list[Record]] = field(default_factory=lambda: defaultdict(list))
    dead_letters: list[Record] = field(default_factory=list)
    rows: dict[tuple[int, str], list[Row]] = field(default_factory=dict)
    sent: defaultdict[int, list[Sent]] = field(default_factory=lambda: defaultdict(list))
    rules: list[Record] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    progress: list[Record] = field(default_factory=list)

    def judged(self) -> Judgement:
        partitions = [
            Partition(
                number,
                records,
                self.decisions[number],
                {group: self.rows[number, group] for group in self.groups},
                self.sent[number],
            )
            for number, records in self.events.items()
        ]
        return judge(
            partitions,
            self.dead_letters,
            Controls(self.rules, []),
            groups=self.groups,
            events_topic=TOPIC,
            bad=self.bad,
            progress=self.progress,
        )


def record(seed: int, count: int, *, partitions: int = 2, groups: tuple[str, ...] = ("a",)) -> Recorded:
    recorded = Recorded(groups)
    recorded.rules.append(Record(0, 0, b"live", msgspec.json.encode(_RULES)))
    _reject_bad_controls(recorded)
    source = Events(seed, count, (POISON, DUPLICATES, DISORDER))
    for _ in range(count):
        made = source.next()
        number = crc32(made.key or b"") % partitions
        offset = len(recorded.events[number])
        recorded.events[number].append(Record(offset, int(time.time() * 1000), made.key, made.value))
        recorded.sent[number].append(Sent(offset, hash64(made.value or b""), made.intended))
    for group in groups:
        for number, events in recorded.events.items():
            _Decider(recorded, number, group).run(events)
    return recorded


def _reject_bad_controls(recorded: Recorded) -> None:
    """Two workers tell their progress every second, and one of them at once what it rejects."""
    recorded.bad += [Bad("rules", 3, 4_200), Bad("models", 0, 6_900)]
    told: list[tuple[int, bytes, list[str]]] = [
        (second * 1_000 + late, b"realtime|a|w%d" % late, []) for second in range(12) for late in (1, 2)
    ]
    told.append((4_500, b"realtime|a|w1", ["rules/3 rejected: it is no rule set"]))
    told.append((7_800, b"realtime|a|w2", ["rules/3 rejected: it is no rule set", "models/0 rejected: not sealed"]))
    for at_ms, worker, problems in sorted(told):
        value = msgspec.json.encode({"worker": "w", "problems": problems})
        recorded.progress.append(Record(len(recorded.progress), at_ms, worker, value))


class _Decider:
    """A worker that nothing ever happens to."""

    def __init__(self, recorded: Recorded, partition: int, group: str) -> None:
        self._recorded = recorded
        self._partition = partition
        self._group = group
        fold = ProfileFold(_SCENARIO)
        self._admission = Admission(_SCENARIO)
        self._application = Application(_SCENARIO, fold)
        self._core = DecisionCore(_SCENARIO, _RULES, Origin(group, 1, "test"), fold)

    def run(self, events: list[Record]) -> None:
        profiles: dict[str, Profile] = {}
        for record in events:
            event = self._admission.admit(record.value, record.key, record.append_ms)
            if isinstance(event, Rejected):
                self._put_aside(record, event)
                continue
            subject = self._admission.subject(event)
            profile = profiles.setdefault(subject, Profile(subject))
            source = Source(EPOCH, self._partition, record.offset, record.append_ms)
            ending = self._application.apply(
                profile,
                event,
                record.value or b"",
                lambda event, before, readings, source=source: self._core.decide(  # type: ignore[misc]
                    event, before, source, readings=readings
                ),
            )
            profile.epoch, profile.last_applied = EPOCH, record.offset
            if isinstance(ending, Decision):
                self._answer(record, ending)
            elif isinstance(ending, Rejected):
                self._put_aside(record, ending)
        timestamp = (EPOCH << 44) + len(events)
        self._recorded.rows[self._partition, self._group] = [
            Row(b"%04x" % self._partition + subject.encode(), timestamp, encode_profile(profile))
            for subject, profile in profiles.items()
        ]

    def _answer(self, record: Record, decision: Decision) -> None:
        log = self._recorded.decisions[self._partition]
        source = f"{EPOCH}/{self._partition}/{record.offset}".encode()
        headers = (("event_id", decision.event_id.encode()), ("source", source))
        log.append(Record(len(log), record.append_ms + 5, record.key, msgspec.json.encode(decision), headers))

    def _put_aside(self, record: Record, why: Rejected) -> None:
        letter = DeadLetter(why.reason, why.detail, TOPIC, self._partition, record.offset, record.append_ms, "w", "b")
        value = record.value or b""
        kept = value[:1024] if len(value) > MAX_EVENT_BYTES else value
        log = self._recorded.dead_letters
        log.append(Record(len(log), record.append_ms, record.key, kept, tuple(letter.headers())))
