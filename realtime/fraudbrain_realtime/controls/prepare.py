"""What is made of a rule set or a model before it can act: pure functions from a record's bytes to bytes.

A record's check and its compiling take up to seconds, and a hostile one may take its process down. So it is prepared
elsewhere (`preparation`), and the worker only opens what came out, in some milliseconds. What is opened is trusted: it
must come from a process of the same build that the worker itself has started.
"""

import marshal
from typing import Any

import msgspec

from fraudbrain_shared.decisions import DecisionCore
from fraudbrain_shared.expressions import Generated
from fraudbrain_shared.models import Scorer, load_scorer, pack, unpack
from fraudbrain_shared.records import RuleSet
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.feature_set import feature_names
from fraudbrain_shared.scenario.rules import GeneratedRules, bind_rules, generate_rules

PREPARED_TOPICS = ("rules", "models")


def prepare(topic: str, value: bytes, scenario: Scenario) -> bytes:
    """A rule set or a release made ready to be opened. Raises whatever says why it must not be used."""
    return prepare_rules(value, scenario) if topic == "rules" else prepare_model(value, scenario)


def prepare_rules(value: bytes, scenario: Scenario) -> bytes:
    """The functions of a rule set, as code, with and without profile. Raises msgspec's errors for no rule set,
    ScenarioError for an unfit one."""
    rule_set = _decode(value)
    return marshal.dumps([_parts(generate_rules(each, rule_set)) for each in (scenario, scenario.without_profile())])


def open_rules(value: bytes, prepared: bytes, core: DecisionCore) -> DecisionCore:
    """The core that decides by a rule set; `core` is one of the same scenario."""
    usual, without_profile = (bind_rules(_of_parts(*each)) for each in marshal.loads(prepared))
    return core.with_rules(_decode(value), usual, without_profile)


def prepare_model(value: bytes, scenario: Scenario) -> bytes:
    """A release's trees as arrays that were checked and scored. Raises ReleaseError with all that is wrong."""
    return pack(load_scorer(value, feature_names(scenario), scenario.parameters))


def open_model(prepared: bytes, names: tuple[str, ...]) -> Scorer:
    """The scorer of a release, for vectors with features of these names."""
    return unpack(prepared, names)


_decode = msgspec.json.Decoder(RuleSet).decode


def _parts(generated: GeneratedRules) -> tuple[Any, ...]:
    return generated.reads, {name: tuple(judge) for name, judge in generated.judges.items()}


def _of_parts(reads: frozenset[str], judges: dict[str, Any]) -> GeneratedRules:
    return GeneratedRules(reads, {name: Generated(*judge) for name, judge in judges.items()})
