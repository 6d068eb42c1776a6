"""Controls that a campaign publishes: good ones, which must act, and bad ones, which must not."""

from collections.abc import Iterator
from itertools import cycle
from random import Random
from typing import Any, Final, NamedTuple

import msgspec

from fraudbrain_deploy import publication
from fraudbrain_shared.controls import rules_version
from fraudbrain_shared.records import ParameterHold, RuleSet
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.topics import LIVE_RULES, hold_key, value_key

_AUTHOR: Final = "campaign"
_LIMIT: Final = "amount_limit"


class Control(NamedTuple):
    """A record for a control topic, and whether it is good."""

    topic: str
    key: bytes
    value: bytes | None
    is_good: bool


def controls(scenario: Scenario, seed: int) -> Iterator[Control]:
    """An endless stream of good and bad ones; each bad one comes in turn."""
    chance = Random(f"controls {seed}")
    own = publication.rule_set(scenario, author=_AUTHOR, reason="a campaign")
    bad = cycle(chance.sample(_bad(own), len(_bad(own))))
    while True:
        yield chance.choice((_rules, _pin, _unpin))(own, chance)
        yield next(bad)
        yield next(bad)


def _rules(own: RuleSet, chance: Random) -> Control:
    """The scenario's own rules with other numbers."""
    numbers = {"count >= 4": f"count >= {chance.randrange(2, 7)}", "3 *": f"{chance.randrange(2, 5)} *"}
    rules = [msgspec.structs.replace(rule, when=_replaced(rule.when, numbers)) for rule in own.rules]
    changed = msgspec.structs.replace(own, rules=tuple(rules))
    version = rules_version(changed.rules, changed.policy)
    return _good_rules(msgspec.structs.replace(changed, version=version))


def _good_rules(rules: RuleSet) -> Control:
    return Control("rules", LIVE_RULES, msgspec.json.encode(rules), True)


def _pin(own: RuleSet, chance: Random) -> Control:
    hold = ParameterHold(_LIMIT, "", "pin", _AUTHOR, "a campaign", chance.randrange(100_000, 900_001))
    return Control("parameters", hold_key(_LIMIT), msgspec.json.encode(hold), True)


def _unpin(own: RuleSet, chance: Random) -> Control:
    return Control("parameters", hold_key(_LIMIT), None, True)


def _bad(own: RuleSet) -> list[Control]:
    return [*map(_bad_rules, _rule_records(own)), *_bad_parameters(), *_bad_others()]


def _bad_rules(value: bytes) -> Control:
    return Control("rules", LIVE_RULES, value, False)


def _rule_records(own: RuleSet) -> Iterator[bytes]:
    yield b""
    yield b"not json"
    yield b"[]"
    yield b'{"version":"x"}'
    good = msgspec.to_builtins(own)
    yield msgspec.json.encode(good)[:-10]
    yield msgspec.json.encode(good | {"version": 7})
    yield msgspec.json.encode(good | {"rules": [{"name": "r", "when": "true", "surprise": 1}]})
    for when in (
        "",
        "event.amount >",
        "event.amount",
        "event.nothing > 1",
        "param.nothing > 1",
        "profile.spend_10m_count == 'four'",
        "__import__('os').system('true')",
        "event.channel.matches('(')",
        "(" * 5_000 + "true" + ")" * 5_000,
        " && ".join(["event.amount > 1"] * 20_000),
        "true || " * 200_000 + "true",
        "event.amount > 1e999",
        "\x00",
    ):
        rules = [{"name": "bad", "when": when}, *good["rules"]]
        yield msgspec.json.encode(good | {"version": "bad", "rules": rules})
    yield msgspec.json.encode(good | {"version": "bad", "rules": [good["rules"][0], *good["rules"]]})
    yield msgspec.json.encode(good | {"version": "bad", "rules": []})
    policies: list[dict[str, Any]] = [
        {"name": "decline", "when": "finding.nothing"},
        {"name": "explode", "when": "true"},
        {"name": "decline", "when": "score"},
    ]
    for clause in policies:
        yield msgspec.json.encode(good | {"version": "bad", "policy": [clause]})


def _bad_parameters() -> Iterator[Control]:
    hold = {"name": _LIMIT, "id": "", "action": "pin", "author": _AUTHOR, "reason": "bad", "value": 200_000}
    value = {"name": _LIMIT, "id": "", "value": 200_000, "previous": 500_000, "tick": 0, "expires_at": 2**50}
    bodies: list[tuple[bytes, Any]] = [
        (hold_key(_LIMIT), hold | {"value": 900_001}),
        (hold_key(_LIMIT), hold | {"value": -1}),
        (hold_key(_LIMIT), hold | {"value": 300_000.5}),
        (hold_key(_LIMIT), hold | {"value": None}),
        (hold_key(_LIMIT), hold | {"action": "destroy"}),
        (hold_key(_LIMIT), hold | {"name": "another"}),
        (hold_key("nothing"), hold | {"name": "nothing"}),
        (hold_key(_LIMIT, "somebody"), hold | {"id": "somebody"}),
        (value_key(_LIMIT), value | {"cause": "a parameter that has no tuner never moves"}),
        (b"hold", hold),
        (b"wish|amount_limit|", hold),
    ]
    for key, body in bodies:
        yield Control("parameters", key, msgspec.json.encode(body), False)
    yield Control("parameters", hold_key(_LIMIT), b"", False)
    yield Control("parameters", b"\xff|\xfe|", b"{}", False)


def _bad_others() -> Iterator[Control]:
    for key in (b"payee|p-01", b"_clock|context", b"nothing", b"\xff"):
        yield Control("context", key, b"not json", False)
    for value in (b"", b"not json", b"{}", b"x" * 100_000):
        yield Control("models", b"champion", value, False)
        yield Control("models", b"challenger", value, False)


def _replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        text = text.replace(old, new)
    return text
