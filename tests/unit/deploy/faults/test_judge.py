"""The judge is green on what is right and red on whatever is spoilt."""

from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any

import msgspec
import pytest

from fraudbrain_deploy.faults.checker import Record, Row
from fraudbrain_shared.features.flat_states import layout_in, packed, spell_out
from tests.unit.deploy.faults.recorded import Recorded, record

_RIGHT = record(seed=7, count=800, groups=("a", "b"))


@pytest.fixture
def recorded() -> Recorded:
    return deepcopy(_RIGHT)


def test_what_is_right_is_green() -> None:
    judgement = record(seed=7, count=3_000, groups=("a", "b")).judged()
    assert judgement.findings.examples == {}
    counts = judgement.findings.counts
    assert sum(counts[ending] for ending in ("decided", "folded", "duplicate")) > 2_500
    for rare in ("conflict", "old_duplicates", "too_new", "framing", "schema", "range", "oversize", "key_mismatch"):
        assert counts[rare] > 0, rare
    assert counts["decisions"] == 2 * counts["decided"]
    assert counts["repeated_dead_letters"] == 0


def test_what_is_spoilt_below_was_right() -> None:
    assert _RIGHT.judged().findings.clean


@pytest.mark.parametrize("seed", range(3))
def test_other_seeds_are_green_too(seed: int) -> None:
    assert record(seed, count=1_000).judged().findings.examples == {}


def changed(record: Record, **changes: Any) -> Record:
    """The decision with other values in its JSON."""
    said = msgspec.json.decode(record.value or b"")
    return record._replace(value=msgspec.json.encode(said | changes))


def said(record: Record, name: str) -> Any:
    return msgspec.json.decode(record.value or b"").get(name)


def drop_a_decision(it: Recorded) -> None:
    del it.decisions[0][10]


def repeat_with_another_outcome(it: Recorded) -> None:
    first = it.decisions[0][10]
    outcome = "decline" if said(first, "outcome") != "decline" else "review"
    it.decisions[0].append(changed(first, outcome=outcome)._replace(offset=len(it.decisions[0])))


def answer_wrongly_in_both_groups(it: Recorded) -> None:
    """Equally wrong, so that only the fold can tell."""
    wanted = said(it.decisions[0][10], "event_id")
    for place, each in enumerate(it.decisions[0]):
        if said(each, "event_id") == wanted:
            it.decisions[0][place] = changed(each, outcome="decline", findings=["large", "jump"])


def change_a_feature(it: Recorded) -> None:
    features = said(it.decisions[1][20], "features")
    it.decisions[1][20] = changed(it.decisions[1][20], features=[features[0] + 1, *features[1:]])


def move_a_decision(it: Recorded) -> None:
    it.decisions[1].append(it.decisions[0].pop(10)._replace(offset=len(it.decisions[1])))


def name_another_offset(it: Recorded) -> None:
    source = said(it.decisions[0][10], "source")
    it.decisions[0][10] = changed(it.decisions[0][10], source=source | {"offset": source["offset"] + 1})


def invent_an_event(it: Recorded) -> None:
    source = said(it.decisions[0][10], "source")
    invented = changed(it.decisions[0][10], source=source | {"offset": 10**6})
    it.decisions[0].append(invented._replace(offset=len(it.decisions[0])))


def decide_a_duplicate(it: Recorded) -> None:
    """As if the repetition of an event had been taken for a new one."""
    first, again = next(
        (earlier, later)
        for number in it.events
        for place, later in enumerate(it.events[number])
        if it.sent[number][place].intended == "duplicate"
        for earlier in it.events[number][:place]
        if earlier.value == later.value
    )
    number = next(number for number, events in it.events.items() if again in events)
    log = it.decisions[number]
    answer = next(each for each in log if said(each, "source")["offset"] == first.offset)
    source = said(answer, "source") | {"offset": again.offset, "append_time": again.append_ms}
    log.append(changed(answer, source=source)._replace(offset=len(log)))


def swap_two_first_decisions(it: Recorded) -> None:
    """Of one subject: the later event is answered first."""
    log = [each for each in it.decisions[0] if said(each, "group") == "a"]
    subject = max(
        {said(each, "subject") for each in log}, key=lambda name: sum(said(e, "subject") == name for e in log)
    )
    one, other = [each for each in log if said(each, "subject") == subject][:2]
    place, other_place = it.decisions[0].index(one), it.decisions[0].index(other)
    it.decisions[0][place] = other._replace(offset=one.offset)
    it.decisions[0][other_place] = one._replace(offset=other.offset)


def use_a_rule_set_that_never_was(it: Recorded) -> None:
    versions = said(it.decisions[0][10], "versions")
    it.decisions[0][10] = changed(it.decisions[0][10], versions=versions | {"rules": "0" * 16})


def use_a_limit_that_nobody_gave(it: Recorded) -> None:
    it.decisions[0][10] = changed(it.decisions[0][10], parameters={"amount_limit": 123_456})


def drop_a_dead_letter(it: Recorded) -> None:
    """Both groups' letters of one record."""
    source = dict(it.dead_letters[5].headers)["dlq.source"]
    it.dead_letters = [each for each in it.dead_letters if dict(each.headers)["dlq.source"] != source]


def change_a_byte_of_a_dead_letter(it: Recorded) -> None:
    place = next(place for place, each in enumerate(it.dead_letters) if each.value)
    letter = it.dead_letters[place]
    value = letter.value or b""
    it.dead_letters[place] = letter._replace(value=value[:-1] + bytes([value[-1] ^ 1]))


def change_the_key_of_a_dead_letter(it: Recorded) -> None:
    it.dead_letters[5] = it.dead_letters[5]._replace(key=b"somebody")


def with_header(letter: Record, name: str, value: bytes) -> Record:
    headers = tuple((each, value if each == name else old) for each, old in letter.headers)
    return letter._replace(headers=headers)


def give_a_dead_letter_another_place(it: Recorded) -> None:
    topic, partition, offset, append = dict(it.dead_letters[5].headers)["dlq.source"].decode().rsplit("/", 3)
    place = f"{topic}/{partition}/{int(offset) + 1}/{append}".encode()
    it.dead_letters[5] = with_header(it.dead_letters[5], "dlq.source", place)


def give_a_dead_letter_another_time(it: Recorded) -> None:
    source = dict(it.dead_letters[5].headers)["dlq.source"]
    it.dead_letters[5] = with_header(it.dead_letters[5], "dlq.source", source + b"1")


def give_a_dead_letter_another_topic(it: Recorded) -> None:
    source = dict(it.dead_letters[5].headers)["dlq.source"]
    it.dead_letters[5] = with_header(it.dead_letters[5], "dlq.source", b"x" + source)


def give_a_dead_letter_another_reason(it: Recorded) -> None:
    place = next(i for i, each in enumerate(it.dead_letters) if dict(each.headers)["dlq.reason"] == b"range")
    it.dead_letters[place] = with_header(it.dead_letters[place], "dlq.reason", b"framing")


def put_a_good_event_aside(it: Recorded) -> None:
    place = next(sent.offset for sent in it.sent[0] if sent.intended == "decided")
    event = it.events[0][place]
    source = f"fraudbrain.faults.events/0/{place}/{event.append_ms}".encode()
    headers = (("dlq.reason", b"schema"), ("dlq.source", source))
    it.dead_letters.append(Record(len(it.dead_letters), event.append_ms, event.key, event.value, headers))


def lose_an_event(it: Recorded) -> None:
    """Acknowledged, and not in the log."""
    del it.events[0][-1]
    gone = len(it.events[0])
    it.decisions[0] = [each for each in it.decisions[0] if said(each, "source")["offset"] != gone]


def change_an_event_after_it_was_sent(it: Recorded) -> None:
    event = it.events[0][3]
    it.events[0][3] = event._replace(value=(event.value or b"") + b" ")


def drop_a_row(it: Recorded) -> None:
    del it.rows[0, "b"][3]


def invent_a_row(it: Recorded) -> None:
    row = it.rows[0, "a"][3]
    it.rows[0, "a"].append(Row(b"0000nobody", row.timestamp, row.value))


def in_row(change: Callable[[list[Any]], None]) -> Callable[[Recorded], None]:
    """The busiest subject's row in one group, changed."""

    @wraps(change)
    def spoil(it: Recorded) -> None:
        rows = it.rows[0, "b"]
        place = max(range(len(rows)), key=lambda place: len(rows[place].value))
        fields = msgspec.msgpack.decode(rows[place].value, strict=False)
        layout, fields[7] = layout_in(fields[7]), list(spell_out(fields[7]))
        change(fields)
        fields[7] = packed(layout, fields[7])
        rows[place] = rows[place]._replace(value=msgspec.msgpack.encode(fields))

    return spoil


def hops(fields: list[Any], signature: str) -> Any:
    return next(state for state in (*fields[7], *fields[8][1]) if state and state[1] == signature)


@in_row
def bump_a_counter(fields: list[Any]) -> None:
    hops(fields, "60nslhz")[5][-1] += 1


@in_row
def bump_a_sum(fields: list[Any]) -> None:
    hops(fields, "60nslhz")[6][-1] += 1


@in_row
def lower_the_maxima(fields: list[Any]) -> None:
    greatest = hops(fields, "60nslhz")[8]
    greatest[:] = [each - 1 for each in greatest]


@in_row
def forget_a_payee(fields: list[Any]) -> None:
    seen = hops(fields, "1800d")[5][1]
    del seen[list(seen)[-1]]


@in_row
def change_a_recent_value(fields: list[Any]) -> None:
    next(state for state in fields[8][1] if state and isinstance(state[1], list))[1][-1] += 1


@in_row
def set_the_offset_back(fields: list[Any]) -> None:
    fields[3] -= 1


@in_row
def change_the_epoch(fields: list[Any]) -> None:
    fields[2] += 1


@in_row
def move_the_clock(fields: list[Any]) -> None:
    fields[4] += 1


@in_row
def miscount_the_late(fields: list[Any]) -> None:
    fields[5] += 1


@in_row
def forget_an_event(fields: list[Any]) -> None:
    fields[6] = fields[6][:-22]


@in_row
def rename_the_subject(fields: list[Any]) -> None:
    fields[1] += "x"


def write_a_row_as_if_it_were_older(it: Recorded) -> None:
    row = it.rows[0, "a"][0]
    it.rows[0, "a"][0] = row._replace(timestamp=1 << 44)


def replaced_in_progress(it: Recorded, old: bytes, new: bytes) -> None:
    it.progress = [each._replace(value=(each.value or b"").replace(old, new)) for each in it.progress]


def say_nothing_of_a_bad_control(it: Recorded) -> None:
    replaced_in_progress(it, b"rules/3 rejected: ", b"rules/2 rejected: ")


def reject_a_bad_control_without_cause(it: Recorded) -> None:
    replaced_in_progress(it, b"rejected: not sealed", b"rejected: ")


def reject_a_bad_control_too_late(it: Recorded) -> None:
    """The first word of it comes with what a worker says of another, three seconds later."""
    it.progress = [each for each in it.progress if each.append_ms != 4_500]


MUTANTS = [
    ("I1", drop_a_decision),
    ("I1", move_a_decision),
    ("I1", name_another_offset),
    ("I1", invent_an_event),
    ("I1", decide_a_duplicate),
    ("I1", lose_an_event),
    ("I1", change_an_event_after_it_was_sent),
    ("I2", answer_wrongly_in_both_groups),
    ("I2", change_a_feature),
    ("I3", repeat_with_another_outcome),
    ("I4", drop_a_row),
    ("I4", invent_a_row),
    ("I4", bump_a_counter),
    ("I4", bump_a_sum),
    ("I4", lower_the_maxima),
    ("I4", forget_a_payee),
    ("I4", change_a_recent_value),
    ("I4", set_the_offset_back),
    ("I4", change_the_epoch),
    ("I4", move_the_clock),
    ("I4", miscount_the_late),
    ("I4", forget_an_event),
    ("I4", rename_the_subject),
    ("I4", write_a_row_as_if_it_were_older),
    ("I5", drop_a_dead_letter),
    ("I5", change_a_byte_of_a_dead_letter),
    ("I5", change_the_key_of_a_dead_letter),
    ("I5", give_a_dead_letter_another_place),
    ("I5", give_a_dead_letter_another_time),
    ("I5", give_a_dead_letter_another_topic),
    ("I5", give_a_dead_letter_another_reason),
    ("I5", put_a_good_event_aside),
    ("I6", use_a_rule_set_that_never_was),
    ("I6", use_a_limit_that_nobody_gave),
    ("I6", say_nothing_of_a_bad_control),
    ("I6", reject_a_bad_control_without_cause),
    ("I6", reject_a_bad_control_too_late),
    ("I7", swap_two_first_decisions),
]


@pytest.mark.parametrize(("invariant", "spoil"), MUTANTS, ids=[spoil.__name__ for _, spoil in MUTANTS])
def test_what_is_spoilt_is_red(invariant: str, spoil: Callable[[Recorded], None], recorded: Recorded) -> None:
    spoil(recorded)
    findings = recorded.judged().findings
    assert findings.violations[invariant] > 0, findings.examples


def test_a_repetition_of_the_same_decision_is_no_violation(recorded: Recorded) -> None:
    log = recorded.decisions[0]
    log.append(log[10]._replace(offset=len(log), append_ms=log[10].append_ms + 6_000))
    judgement = recorded.judged()
    assert judgement.findings.clean
    assert [each.again_ms - each.first_ms for each in judgement.timing.repeats] == [6_000]


def test_a_decision_that_is_flagged_degraded_may_differ(recorded: Recorded) -> None:
    log = recorded.decisions[0]
    log[10] = changed(log[10], outcome="review", features=[], degraded=["profile_missing"])
    findings = recorded.judged().findings
    assert findings.clean, findings.examples
    assert findings.counts["degraded:profile_missing"] == 1


def test_a_bad_control_is_excused_only_if_no_worker_was_there_all_the_time(recorded: Recorded) -> None:
    say_nothing_of_a_bad_control(recorded)
    for worker in (b"realtime|a|w1", b"realtime|a|w2"):
        assert recorded.judged().findings.violations["I6"] == 1
        recorded.progress = [
            each for each in recorded.progress if each.key != worker or not 4_200 < each.append_ms < 6_000
        ]
    findings = recorded.judged().findings
    assert findings.clean, findings.examples
    assert findings.counts["bad_controls_while_nobody_was_there"] == 1
    assert findings.counts["bad_controls_rejected"] == 1
