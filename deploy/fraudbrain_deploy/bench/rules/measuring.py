"""`python -m fraudbrain_deploy.bench.rules.measuring`: measures in a process of its own, and writes what it found.

All engines run here, one after the other in each round, on the same cases, after they have agreed on all of them.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Final, NamedTuple

import msgspec

from fraudbrain_deploy.bench.rules.cases import MANY_RULES, Case, read_cases, reference
from fraudbrain_deploy.bench.rules.dialects import node_count
from fraudbrain_deploy.bench.rules.engines import PEERS, ours, refuse_disagreement
from fraudbrain_shared.records import RuleSet, RuleText
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.rules_file import RulesFile, read_rules
from fraudbrain_shared.scenario.toml import TomlFile
from fraudbrain_shared.testing.alternating import Tell, Work, alternate

COMPARED: Final = (50, 500)
CURVE: Final = (1, 10, 50, 100, 500, 1_000)


class Found(msgspec.Struct, kw_only=True):
    """What was measured, µs per event and round: for each size of rule set each engine, and what handing the values
    over costs it; and our own at each size of the curve. `fired` is how many rules do, on average."""

    cases: int
    versions: dict[str, str]
    mean_nodes: dict[int, float] = {}
    fired: dict[int, float] = {}
    whole_us: dict[int, dict[str, list[float]]] = {}
    inputs_us: dict[int, dict[str, list[float]]] = {}
    curve_us: dict[int, list[float]] = {}


class Pace(NamedTuple):
    """How long is measured: so many rounds, in each of them every engine for `slice_s`."""

    rounds: int
    slice_s: float
    tell: Tell

    def __call__(self, what: str, works: Mapping[str, Work], cases: int) -> dict[str, list[float]]:
        """The rounds of each work, µs per case."""
        told = partial(self._told, what)
        return alternate(works, cases=cases, rounds=self.rounds, slice_s=self.slice_s, tell=told)

    def _told(self, what: str, text: str) -> None:
        self.tell(f"{what}: {text}")


def measure(peers: Sequence[str], pace: Pace) -> Found:
    """All figures about rules. Raises Disagreement."""
    scenario = reference()
    cases = read_cases(scenario)
    found = Found(cases=len(cases), versions={})
    for size in COMPARED:
        _compare(found, scenario, cases, size, peers, pace)
    works = {str(size): ours(scenario, rule_set(scenario, size), cases).whole for size in CURVE}
    found.curve_us = {int(size): us for size, us in pace("growth", works, len(cases)).items()}
    return found


def _compare(
    found: Found, scenario: Scenario, cases: Sequence[Case], size: int, peers: Sequence[str], pace: Pace
) -> None:
    rules = rule_set(scenario, size)
    found.mean_nodes[size] = round(mean(node_count(each.when) for each in rules.rules), 1)
    engines = [make(scenario, rules, cases) for make in (ours, *(PEERS[name] for name in peers))]
    found.versions |= {each.name: each.version for each in engines[1:]}
    found.fired[size] = round(refuse_disagreement(engines, rules) / len(cases), 2)
    works = {each.name: each.whole for each in engines}
    inputs = {f"{each.name} inputs": each.inputs for each in engines if each.inputs}
    us = pace(f"{size} rules", works | inputs, len(cases))
    found.whole_us[size] = {name: us[name] for name in works}
    found.inputs_us[size] = {name.removesuffix(" inputs"): us[name] for name in inputs}


def rule_set(scenario: Scenario, size: int) -> RuleSet:
    """The scenario's own rules up to their number, beyond that the first of the thousand."""
    rules = scenario.rules if size <= len(scenario.rules) else many_rules()
    return RuleSet(f"{size}-rules", rules[:size], ())


def many_rules() -> tuple[RuleText, ...]:
    """A thousand rules over the reference scenario."""
    return tuple(rule for rule, _ in read_rules(RulesFile(TomlFile(MANY_RULES.name, MANY_RULES.read_bytes()), [])))


def main() -> None:
    """The figures as JSON on standard output, how far it is on standard error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", type=Path, help="the folder that they are installed in")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--slice-s", type=float, required=True)
    arguments = parser.parse_args()
    if arguments.peers:
        sys.path.append(str(arguments.peers))
    pace = Pace(arguments.rounds, arguments.slice_s, lambda text: print(text, file=sys.stderr, flush=True))
    found = measure(list(PEERS) if arguments.peers else [], pace)
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
