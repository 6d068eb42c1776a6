"""Rule sets, parameters and models that are wrong: good ones with something changed, by chance.

Some changes do no harm. What the controls accept must be good by another judge too, who shares no code with
them: for rules Python's own JSON and Google's CEL in C++, for parameters the laws written down once more, for models a
walk of the trees in plain Python.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

import msgspec
import numpy as np
from cel_expr_python import cel  # type: ignore[import-untyped]

from fraudbrain_realtime.controls import Controls
from fraudbrain_realtime.ports import ControlRecord
from fraudbrain_shared.models import seal
from fraudbrain_shared.models.release import SCORE_TOLERANCE
from fraudbrain_shared.records import ModelRelease
from fraudbrain_shared.scenario.scope import policy_scope
from tests.unit.expressions.hostile_texts import hostile_text
from tests.unit.models.mutations import KINDS as MODEL_KINDS
from tests.unit.models.naive import score
from tests.unit.realtime.controls_of_cards import (
    CARDS,
    DAY,
    NAMES,
    T0,
    amount_limit,
    decide,
    hold_record,
    model_record,
    release,
    rules_record,
    value_record,
)

Change = Callable[[Random], ControlRecord]

RULES = {
    "far_above_usual": "profile.spend_30d_count >= 10 && derived.amount_over_usual > 5.5",
    "very_large": "event.amount >= param.large_amount_limit || event.amount > 2500000",
    "of_a_kind": "event.terminal_id.startsWith('t') && size(event.terminal_id) < 12",
    "looks_odd": "event.terminal_id.matches('^[a-z]{2}[0-9]+$')",
    "at_night": "event.event_time.getHours('Europe/Paris') < 6",
}
POLICY = [("decline", "finding.far_above_usual && finding.very_large"), ("review", "score >= param.review_score")]
SET: dict[str, Any] = {
    "version": "changed",
    "rules": [{"name": name, "when": when, "description": "One of them"} for name, when in RULES.items()],
    "policy": [{"name": name, "when": when, "on_unknown": "review"} for name, when in POLICY],
    "author": "ada",
}
OTHERS_THAN_CEL = re.compile(r"known\(|or_else\(|has\(|distance_km\(")


class Outcome(NamedTuple):
    """How many records were tried of each kind, how many of them were accepted, and so judged good twice."""

    tried: Counter[str]
    accepted: Counter[str]


def try_all(make: Callable[[], Controls], kinds: dict[str, Change], per_kind: int) -> Outcome:
    """Gives controls that have something good of each kind one bad record after the other.

    Fails if one is accepted that another judge does not find good, if one that is rejected changes anything or
    has no cause, or if anything is raised.
    """
    tried, accepted = Counter[str](), Counter[str]()
    controls = good(make())
    before = state(controls)
    for kind, change in kinds.items():
        for number in range(per_kind):
            record = change(Random(f"{kind} {number}"))
            rejected = controls.counts.get("controls_rejected", 0)
            controls.update(record)
            controls.settle()
            tried[kind] += 1
            if controls.counts.get("controls_rejected", 0) == rejected:
                assert is_good(record), (kind, number, record.key, (record.value or b"")[:2_000])
                accepted[kind] += 1
                controls = good(make())
            else:
                assert any(re.match(rf"{record.topic}/{record.offset} rejected: .", each) for each in controls.problems)
            assert state(controls) == before, (kind, number)
    return Outcome(tried, accepted)


def good(controls: Controls) -> Controls:
    """With good rules, a model, a hold and a value; what comes next at the same time would act at once."""
    for record in (
        rules_record("good", T0 - DAY, when="event.amount > param.terminal_amount_limit"),
        model_record("good", T0 - DAY, review_score=0.25),
        hold_record("large_amount_limit", 7_000, T0 - DAY),
        value_record(amount_limit(60_000), T0 - DAY),
    ):
        controls.update(record)
    controls.settle()
    assert not controls.problems
    return controls


def state(controls: Controls) -> tuple[object, ...]:
    """What decides: the versions, and decisions as they are at several times."""
    times = (T0, T0 + DAY)
    return controls.versions, *(msgspec.json.encode(decide(controls, time, amount=70_000)) for time in times)


def is_good(record: ControlRecord) -> bool:
    judge = {"rules": is_good_rule_set, "parameters": is_good_parameter, "models": is_good_model}[record.topic]
    try:
        return judge(record.key.decode(), record.value or b"")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AssertionError(f"accepted, but {type(error).__name__}: {error}") from error


# Rule sets


def changed_byte(value: bytes, random: Random) -> bytes:
    at, byte = random.randrange(len(value)), bytes([random.randrange(256)])
    return random.choice(
        (value[:at] + byte + value[at + 1 :], value[:at] + value[at + 1 :], value[:at] + byte + value[at:])
    )


def rule_set(**changes: Any) -> ControlRecord:
    return ControlRecord("rules", 1, b"live", json.dumps({**SET, **changes}).encode(), T0)


def with_condition(when: str, random: Random) -> ControlRecord:
    """In the place of one of the rules' conditions, or of the policy's."""
    part = random.choice(("rules", "policy"))
    entries = [dict(each) for each in SET[part]]
    random.choice(entries)["when"] = when
    return rule_set(**{part: entries})


def bytes_of_rules(random: Random) -> ControlRecord:
    return ControlRecord("rules", 1, b"live", changed_byte(json.dumps(SET).encode(), random), T0)


def cut_short(random: Random) -> ControlRecord:
    whole = json.dumps(SET).encode()
    return ControlRecord("rules", 1, b"live", whole[: random.randrange(len(whole))], T0)


def letters_of_a_condition(random: Random) -> ControlRecord:
    when = random.choice([*RULES.values()])
    at = random.randrange(len(when))
    new = random.choice("abz019 ()!<>=&|.'\"+-*/%?:[]{},\\_Eé\0")
    return with_condition(when[:at] + new + when[at + random.randrange(2) :], random)


def an_attackers_condition(random: Random) -> ControlRecord:
    while OTHERS_THAN_CEL.search(text := hostile_text(random)):
        pass
    return with_condition(text.encode(errors="replace").decode(), random)


def too_dear(random: Random) -> ControlRecord:
    pattern = f"({random.choice('abc')}{{9}}|.*{random.randrange(99)}){{{random.randrange(20, 40)}}}"
    return with_condition(" || ".join([f"event.terminal_id.matches('{pattern}')"] * random.randrange(300, 400)), random)


def too_long(random: Random) -> ControlRecord:
    return rule_set(reason="x" * random.randrange(1_048_577, 10_485_760))


def unheard_of_names(random: Random) -> ControlRecord:
    return with_condition(f"event.{random.choice(('amoun', 'card', 'Amount', 'amount_'))} > {random.random()}", random)


def no_numbers(random: Random) -> ControlRecord:
    number = random.choice(("NaN", "Infinity", "-inf", "1e999", "nan()", "0x1p1024", "9" * 40, "--1e400"))
    return with_condition(f"derived.amount_over_usual > {number}", random)


def parts_of_the_set(random: Random) -> ControlRecord:
    """A value of another kind, or a part left out, doubled or renamed."""
    changed = json.loads(json.dumps(SET))
    part = random.choice((changed, *changed["rules"], *changed["policy"]))
    key = random.choice([*part])
    match random.randrange(4):
        case 0:
            part[key] = random.choice(
                (None, 1, -1.5, [], {}, "", "x", ["x"], {"a": 1}, True, "approve", "a b", "x" * 80)
            )
        case 1:
            del part[key]
        case 2:
            part[key + "_"] = part.pop(key)
        case _:
            changed["rules"].append(random.choice(changed["rules"]))
    return ControlRecord("rules", 1, b"live", json.dumps(changed).encode(), T0)


RULE_KINDS: dict[str, Change] = {
    each.__name__: each
    for each in (
        *(bytes_of_rules, cut_short, letters_of_a_condition, an_attackers_condition, too_dear, too_long),
        *(unheard_of_names, no_numbers, parts_of_the_set),
    )
}


def is_good_rule_set(_: str, value: bytes) -> bool:
    """By Python's JSON and by CEL in C++; an int compared with a double is given to it as a double."""
    found = json.loads(value.decode())
    assert isinstance(found["version"], str)
    names = [each["name"] for each in found["rules"]]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch("[A-Za-z][A-Za-z0-9_]{0,63}", name) for name in names)
    assert all(set(each) <= {"name", "when", "description"} for each in found["rules"])
    assert all(set(each) <= {"name", "when", "on_unknown"} for each in found["policy"])
    outcomes = {outcome for each in found["policy"] for outcome in (each["name"], each.get("on_unknown", "review"))}
    assert outcomes <= {"approve", "review", "decline"}
    of_rules, of_policy = _environment([]), _environment(names)
    return all(_is_condition(each["when"], of_rules) for each in found["rules"]) and all(
        _is_condition(each["when"], of_policy) for each in found["policy"]
    )


def _environment(rule_names: list[str]) -> Any:
    [payment] = [each for each in CARDS.event_types.values() if each.decide]
    names = policy_scope(CARDS, payment, rule_names).values()
    return cel.NewEnv(
        variables={each.path: getattr(cel.Type, each.type.name) for each in names if not each.type.is_list}
    )


def _is_condition(when: str, environment: Any) -> bool:
    as_doubles = re.sub(r"(?<![\w.'\"])(\d+)(?![\w.'\"])", r"\1.0", when)
    for text in (when, as_doubles):
        try:
            environment.compile(text)
        except Exception:
            continue
        return True
    return False


# Parameters


def changed_record(base: ControlRecord, random: Random, **changes: Any) -> ControlRecord:
    value = json.dumps({**json.loads(base.value or b""), **changes})
    return msgspec.structs.replace(base, value=re.sub(r'"@(\S+?)"', r"\1", value).encode(), offset=1, append_time=T0)


def some_record(random: Random) -> ControlRecord:
    value = amount_limit(random.randrange(40_000, 90_000), previous=60_000)
    return random.choice(
        (value_record(value), hold_record("large_amount_limit", 9_000), hold_record("review_score", 0.5))
    )


def bytes_of_parameters(random: Random) -> ControlRecord:
    base = some_record(random)
    return msgspec.structs.replace(base, value=changed_byte(base.value or b"", random), offset=1)


def keys_of_parameters(random: Random) -> ControlRecord:
    base = some_record(random)
    return msgspec.structs.replace(base, key=changed_byte(base.key, random), offset=1)


def out_of_bounds(random: Random) -> ControlRecord:
    far: Any = random.choice(
        (0, -1, 1e12, -1e300, 10**400, "@1e999", "@NaN", "@Infinity", "@-1e400", None, "7", True, 1.5, [])
    )
    return changed_record(some_record(random), random, value=far)


def too_far(random: Random) -> ControlRecord:
    return changed_record(
        value_record(amount_limit(60_000)), random, value=random.choice((5_000, 400_000, 1_000, 14_000))
    )


def fields_of_parameters(random: Random) -> ControlRecord:
    base = some_record(random)
    key = random.choice([*json.loads(base.value or b"")])
    new: Any = random.choice(
        (None, "", "x", 0, -1, 2**63, 1e308, [], {}, {"count": 1}, T0, T0 + 400 * DAY, "expired", "pin")
    )
    return changed_record(base, random, **{key: new})


def of_an_earlier_tick(random: Random) -> ControlRecord:
    return value_record(amount_limit(60_000, tick=T0 - random.randrange(2, 300) * DAY), offset=1)


def tombstones_of_nothing(random: Random) -> ControlRecord:
    key = random.choice(
        (b"value|nothing|", b"value|large_amount_limit|x", b"hold|terminal_amount_limit|", b"x|y|z", b"value")
    )
    return ControlRecord("parameters", 1, key, None, T0)


PARAMETER_KINDS: dict[str, Change] = {
    each.__name__: each
    for each in (
        *(bytes_of_parameters, keys_of_parameters, out_of_bounds, too_far, fields_of_parameters),
        *(of_an_earlier_tick, tombstones_of_nothing),
    )
}


def is_good_parameter(key: str, value: bytes) -> bool:
    """The laws once more: the key's own name, bounds, one step from `previous`, evidence, expiry, no earlier tick."""
    found = json.loads(value.decode())
    kind, name, id_ = key.split("|", 2)
    parameter = CARDS.parameters[name]
    assert (found["name"], found["id"], bool(parameter.per)) == (name, id_, bool(id_))
    numbers = [found[each] for each in ("value", "previous") if found.get(each) is not None]
    assert all(parameter.low <= each <= parameter.high and not isinstance(each, bool) for each in numbers)
    assert parameter.type == "double" or all(isinstance(each, int) for each in numbers)
    if kind == "hold":
        assert found["action"] in ("freeze", "revert") or (found["action"] == "pin" and numbers)
        return isinstance(found["author"], str) and isinstance(found["reason"], str)
    tuning = parameter.tuning
    assert tuning is not None
    assert kind == "value"
    step = max(1, int(found["previous"] * (tuning.max_step or 0)))
    is_of_the_start = found["cause"] == "expired" and found["value"] == parameter.default
    is_moved = found["cause"] == "rate" and abs(found["value"] - found["previous"]) <= step
    has_evidence = found["cause"] == "expired" or found["evidence"]["count"] >= 5
    lasts = 0 < found["expires_at"] - found["tick"] <= 7 * DAY
    is_newer = id_ != "t1" or found["tick"] >= T0 - DAY
    return (is_of_the_start or is_moved) and has_evidence and lasts and is_newer and found.get("release") is None


# Models


def of_models(kind: str) -> Change:
    def change(random: Random) -> ControlRecord:
        chance = np.random.default_rng(random.getrandbits(64))
        base = release("changed")
        while (changed := MODEL_KINDS[kind](base, chance)) == base:
            pass
        return ControlRecord("models", 1, b"champion", seal(changed), T0)

    return change


def bytes_of_models(random: Random) -> ControlRecord:
    return ControlRecord("models", 1, b"champion", changed_byte(seal(release("changed")), random), T0)


def models_cut_short(random: Random) -> ControlRecord:
    whole = seal(release("changed"))
    return ControlRecord("models", 1, b"champion", whole[: random.randrange(len(whole))], T0)


def starting_out_of_bounds(random: Random) -> ControlRecord:
    far = random.choice((float("nan"), float("inf"), -0.1, 1.5, 1e300, 0.0))
    return ControlRecord("models", 1, b"champion", seal(release("changed", review_score=far)), T0)


def models_too_long(random: Random) -> ControlRecord:
    return ControlRecord("models", 1, b"champion", b" " * random.randrange(8_388_609, 9_000_000), T0)


def sealed_otherwise(random: Random) -> ControlRecord:
    digest = "".join(random.choices("0123456789abcdef", k=64))
    record = re.sub(rb'"sha256":"[0-9a-f]*"', f'"sha256":"{digest}"'.encode(), seal(release("changed")))
    return ControlRecord("models", 1, b"champion", record, T0)


MODEL_CHANGES: dict[str, Change] = {
    each.__name__: each
    for each in (bytes_of_models, models_cut_short, starting_out_of_bounds, models_too_long, sealed_otherwise)
} | {kind: of_models(kind) for kind in MODEL_KINDS if "categor" not in kind}


def is_good_model(_: str, value: bytes) -> bool:
    """Its golden rows by a plain walk, and they are those of the release that was changed or score as they say."""
    found = msgspec.json.decode(value, type=ModelRelease)
    assert set(found.features) <= set(NAMES)
    with np.errstate(over="ignore"):  # what float32 cannot hold is missing
        scores = [score(found, row) for row in found.golden]
    assert all(
        abs(answer - expected) <= 2 * SCORE_TOLERANCE
        for answer, expected in zip(scores, found.golden_scores, strict=True)
    )
    return all(0.02 <= each <= 0.99 for name, each in found.starting_values.items() if name == "review_score")


KINDS: dict[str, dict[str, Change]] = {"rules": RULE_KINDS, "parameters": PARAMETER_KINDS, "models": MODEL_CHANGES}
