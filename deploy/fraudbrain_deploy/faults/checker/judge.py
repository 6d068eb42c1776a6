"""Judges a campaign: goes through every record of `events` and says what is wrong with what came of it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import msgspec

from fraudbrain_deploy.faults.checker.admission import defects_of
from fraudbrain_deploy.faults.checker.controls import Controls, Verdict
from fraudbrain_deploy.faults.checker.evidence import Partition, Record
from fraudbrain_deploy.faults.checker.findings import Findings
from fraudbrain_deploy.faults.checker.history import History, hash64
from fraudbrain_deploy.faults.checker.letters import Letters, by_place, check_letter
from fraudbrain_deploy.faults.checker.rejections import Bad, check_rejections
from fraudbrain_deploy.faults.checker.rows import read_row
from fraudbrain_deploy.faults.checker.timing import Repeat, Timing

_CONFLICT: Final = frozenset({"conflict"})


@dataclass(frozen=True)
class Judgement:
    """What was found, and what time faults cost."""

    findings: Findings
    timing: Timing


def judge(
    partitions: Iterable[Partition],
    dead_letters: Sequence[Record],
    controls: Controls,
    *,
    groups: Sequence[str],
    events_topic: str,
    bad: Sequence[Bad] = (),
    progress: Sequence[Record] = (),
) -> Judgement:
    """The judgement on everything. Partitions are looked at one after the other and not kept.

    `bad` are controls that must never act; `progress` is what workers said of themselves meanwhile.
    """
    judgement = Judgement(Findings(), Timing())
    letters = by_place(dead_letters, events_topic, judgement.findings)
    epochs: set[int] = set()
    unclaimed = set(letters)
    for partition in partitions:
        unclaimed.difference_update((partition.number, record.offset) for record in partition.events)
        _PartitionJudge(partition, letters, controls, groups, judgement, epochs).judge()
    for number, offset in sorted(unclaimed):
        judgement.findings.wrong("I5", f"{number}/{offset}: a dead letter of a record that does not exist")
    check_rejections(bad, progress, judgement.findings)
    if len(epochs) > 1:
        judgement.findings.wrong("I4", f"rows and decisions are of different epochs: {sorted(epochs)}")
    return judgement


class _Source(msgspec.Struct):
    partition: int
    offset: int


class _Head(msgspec.Struct):
    """As much of a decision as its place among others needs."""

    group: str
    generation: int
    source: _Source


_decode_head = msgspec.json.Decoder(_Head).decode


class _Made:
    """A decision as it stands in the log. All it says is decoded only when it is judged: there are many."""

    def __init__(self, record: Record) -> None:
        self.record = record
        self.head = _decode_head(record.value or b"")

    @cached_property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.record.value or b"")
        return found

    @property
    def group(self) -> str:
        return self.head.group

    @property
    def inputs(self) -> bytes:
        said, versions = self.said, self.said["versions"]
        return msgspec.json.encode(
            [
                [versions.get(name) for name in ("scenario", "rules", "model")],
                [said.get(name) for name in ("degraded", "context", "parameters", "context_clock")],
            ]
        )

    @property
    def answer(self) -> bytes:
        return msgspec.json.encode([self.said.get(name) for name in ("outcome", "findings", "scores", "features")])


class _Expected:
    """What a naive decider says of an event, by rule set and limit."""

    def __init__(self, event: dict[str, Any], history: History) -> None:
        fields, time_ms = event["fields"], event["event_time"]
        self.late = time_ms < history.clock_ms
        features = history.features(max(history.clock_ms, time_ms))
        usual = features["profile.recent_max"]
        self.features = [*features.values(), None if usual is None else fields["amount"] - usual]
        self._values: dict[str, Any] = features | {f"event.{name}": value for name, value in fields.items()}

    def verdict(self, controls: Controls, version: str, limit: Any) -> Verdict:
        return controls.rules[version].verdict(self._values | {"param.amount_limit": limit})


class _PartitionJudge:
    """Judges one partition, from its first record to its last."""

    def __init__(
        self,
        partition: Partition,
        letters: Letters,
        controls: Controls,
        groups: Sequence[str],
        judgement: Judgement,
        epochs: set[int],
    ) -> None:
        self._partition = partition
        self._letters = letters
        self._controls = controls
        self._groups = groups
        self._findings, self._timing = judgement.findings, judgement.timing
        self._epochs = epochs
        self._histories: defaultdict[str, History] = defaultdict(History)
        self._decided_at: dict[tuple[str, str], int] = {}
        self._identities: set[tuple[str, str]] = set()

    def judge(self) -> None:
        decisions = self._by_offset()
        sent = {each.offset: each for each in self._partition.sent}
        for record in self._partition.events:
            made = decisions.pop(record.offset, [])
            ending = self._judge_record(record, made)
            self._findings.counts[ending] += 1
            if (source := sent.pop(record.offset, None)) is None:
                self._wrong("I1", record, "is in the log, but its source was not told so")
                continue
            if source.digest != hash64(record.value or b""):
                self._wrong("I1", record, "other bytes than were sent stand in the log")
            if source.intended not in ("", ending):
                self._wrong("I1", record, f"was meant to end as {source.intended}, not as {ending}")
        for offset in sent:
            self._findings.wrong("I1", f"{self._partition.number}/{offset}: acknowledged, but not in the log")
        for offset in decisions:
            self._findings.wrong("I1", f"{self._partition.number}/{offset}: a decision on a record that does not exist")
        for group in self._groups:
            self._judge_rows(group)

    def _by_offset(self) -> defaultdict[int, list[_Made]]:
        """The decisions of each event, the effective one first."""
        found: defaultdict[int, list[_Made]] = defaultdict(list)
        for record in self._partition.decisions:
            try:
                made = _Made(record)
            except msgspec.DecodeError:
                self._findings.wrong("I1", f"decisions {self._partition.number}/{record.offset} is no decision")
                continue
            self._timing.decided(made.group, self._partition.number, record.append_ms)
            source = made.head.source
            if source.partition == self._partition.number:
                found[source.offset].append(made)
            else:
                where = f"partition {self._partition.number}"
                self._findings.wrong("I1", f"the decision on {source.partition}/{source.offset} stands in {where}")
        for several in found.values():
            several.sort(key=lambda made: (made.head.generation, made.record.offset))
        return found

    def _judge_record(self, record: Record, made: list[_Made]) -> str:
        """How the record should have ended; what is wrong with how it did is noted."""
        reasons, event = defects_of(record.value, record.key, record.append_ms)
        if reasons:
            return self._judge_dead(record, made, reasons)
        subject = event["fields"]["account_id"]
        history = self._histories[subject]
        history.last_applied = record.offset
        same = history.recalled(event["event_id"], record.value or b"")
        if same is False:
            return self._judge_dead(record, made, _CONFLICT)
        if self._letters.get((self._partition.number, record.offset)):
            self._wrong("I5", record, "has a dead letter and no defect")
        if same or event["type"] != "transfer":
            if made and not (event["type"] == "transfer" and _without_profile(made)):
                self._wrong("I1", record, "has a decision and should have none")
            ending = "duplicate" if same else "folded"
        else:
            self._judge_decisions(record, event, history, made)
            ending = "decided"
        if not same:
            history.fold(event, record.value or b"")
        return ending

    def _judge_dead(self, record: Record, made: list[_Made], reasons: frozenset[str]) -> str:
        letters = self._letters.get((self._partition.number, record.offset), [])
        if made and not (reasons == _CONFLICT and _without_profile(made)):
            self._wrong("I1", record, f"has a decision, though its defect is {' or '.join(sorted(reasons))}")
        if not letters:
            self._wrong("I5", record, f"has no dead letter, though its defect is {' or '.join(sorted(reasons))}")
        for letter in letters:
            check_letter(letter, record, reasons, self._place(record), self._findings)
        self._findings.counts["repeated_dead_letters"] += max(0, len(letters) - len(self._groups))
        return letters[0].reason if letters and letters[0].reason in reasons else min(reasons)

    def _judge_decisions(self, record: Record, event: dict[str, Any], history: History, made: list[_Made]) -> None:
        expected = _Expected(event, history)
        subject = event["fields"]["account_id"]
        for group in self._groups:
            own = [each for each in made if each.group == group]
            if not own:
                self._wrong("I1", record, f"has no decision by group {group}")
                continue
            first = own[0].record
            for again in own[1:]:
                self._timing.repeats.append(
                    Repeat(group, self._partition.number, first.append_ms, again.record.append_ms)
                )
            if self._decided_at.get((group, subject), -1) > first.offset:
                self._wrong("I7", record, f"group {group} decided on it before an earlier event of its subject")
            self._decided_at[group, subject] = first.offset
        for each in made:
            self._judge_decision(record, event, expected, each)
        self._judge_agreement(record, made)
        identity = subject, event["event_id"]
        self._findings.counts["old_duplicates"] += identity in self._identities
        self._identities.add(identity)
        self._findings.counts["decisions"] += len(made)

    def _judge_agreement(self, record: Record, made: list[_Made]) -> None:
        """Equal inputs, equal answers; where inputs had moved, a later answer is superseded."""
        answers: dict[bytes, bytes] = {}
        for each in made:
            if answers.setdefault(each.inputs, each.answer) != each.answer:
                self._wrong("I3", record, "was decided differently by equal inputs")
        self._findings.counts["superseded"] += len(set(answers.values())) > 1

    def _judge_decision(self, record: Record, event: dict[str, Any], expected: _Expected, made: _Made) -> None:
        said, fields = made.said, event["fields"]
        source = said["source"]
        self._epochs.add(source["epoch"])
        written = {
            "event_id": event["event_id"],
            "type": event["type"],
            "subject": fields["account_id"],
            "event_time": event["event_time"],
            "append_time": record.append_ms,
            "key": record.key,
            "entities": {"payee_id": fields["payee_id"]},
            "headers": (event["event_id"], f"{source['epoch']}/{self._partition.number}/{record.offset}"),
        }
        headers = dict(made.record.headers)
        told = {name: said.get(name) for name in written} | {
            "append_time": source["append_time"],
            "key": made.record.key,
            "headers": (headers.get("event_id", b"").decode(), headers.get("source", b"").decode()),
        }
        self._compare(record, "I2", told, written)
        if made.group not in self._groups:
            self._wrong("I1", record, f"was decided by a group {made.group}, which does not exist")
        if degraded := said.get("degraded"):
            for reason in degraded:
                self._findings.counts[f"degraded:{reason}"] += 1
            return
        version, limit = said["versions"]["rules"], said.get("parameters", {}).get("amount_limit")
        if not self._controls_were_good(record, made, version, limit):
            return
        verdict = expected.verdict(self._controls, version, limit)
        answer = {"outcome": said["outcome"], "late": said.get("late", False), "features": said["features"]}
        answer |= {name: said.get(name, []) for name in ("findings", "unknown", "failed")}
        judged = {"outcome": verdict.outcome, "late": expected.late, "features": expected.features}
        judged |= {"findings": verdict.findings, "unknown": verdict.unknown, "failed": []}
        self._compare(record, "I2", answer, judged)

    def _controls_were_good(self, record: Record, made: _Made, version: str, limit: Any) -> bool:
        """Whether the decision can be made again from its controls; whether they should have acted is noted."""
        if version not in self._controls.rules:
            self._wrong("I6", record, f"was decided by the rule set {version}, which was never valid")
            return False
        if not self._controls.limit_was_given(limit, made.record.append_ms):
            self._wrong("I6", record, f"was decided by amount_limit = {limit}, which nobody had given it")
        if not self._controls.acts(version, record.append_ms):
            if self._controls.acted_lately(version, record.append_ms):
                self._findings.counts["rules_read_late"] += 1
            else:
                self._wrong("I6", record, f"was decided by the rule set {version}, which did not act then")
        return True

    def _judge_rows(self, group: str) -> None:
        rows = {row.key[4:]: row for row in self._partition.rows.get(group, ())}
        for subject, history in self._histories.items():
            row = rows.pop(subject.encode(), None)
            where = f"the profile of {subject} in group {group}, partition {self._partition.number}"
            self._findings.counts["profiles"] += 1
            if row is None:
                self._findings.wrong("I4", f"{where} is not there")
                continue
            try:
                told = read_row(row)
            except ValueError as error:
                self._findings.wrong("I4", f"{where}: {error}")
                continue
            self._epochs.add(told.epoch)
            true = {
                "last_applied": history.last_applied,
                "clock_ms": history.clock_ms,
                "late_dropped": history.late_dropped,
                "remembered": history.remembered(),
            }
            for name, value in (true | history.features(history.clock_ms)).items():
                there = told.features[name] if name in told.features else getattr(told, name)
                if there != value:
                    self._findings.wrong("I4", f"{where}: {name} is {there}, not {value}")
        for key in rows:
            self._findings.wrong("I4", f"a profile of {key!r} in group {group}, which has no events")

    def _compare(self, record: Record, invariant: str, told: dict[str, Any], true: dict[str, Any]) -> None:
        if told != true:
            different = [name for name in true if told[name] != true[name]]
            parts = ", ".join(f"{name} {told[name]} instead of {true[name]}" for name in different)
            self._wrong(invariant, record, f"its decision says {parts}")

    def _wrong(self, invariant: str, record: Record, what: str) -> None:
        self._findings.wrong(invariant, f"{self._place(record)}: {what}")

    def _place(self, record: Record) -> str:
        return f"{self._partition.number}/{record.offset}"


def _without_profile(made: Iterable[_Made]) -> bool:
    """Whether all of them say that they were made while nobody could know what came before."""
    return all("profile_unavailable" in each.said.get("degraded", ()) for each in made)
