"""What changes while events are decided: rules, a parameter, the model; and whether the decisions say so."""

from collections.abc import Iterator
from typing import Final

import msgspec

from fraudbrain_deploy import kafka, publication
from fraudbrain_deploy.bench.rules.measuring import many_rules
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.controls import rules_version
from fraudbrain_shared.models.release import seal
from fraudbrain_shared.records import Decision, ModelRelease, ParameterHold
from fraudbrain_shared.topics import CHAMPION_MODEL, hold_key

PARAMETER: Final = "min_history"
"""One that rules of the reference scenario read: decisions say its value."""

_AUTHOR: Final = "bench"
_WHY: Final = "a change while events are decided"


class Changes:
    """Published one after the other, and looked for in the decisions afterwards."""

    def __init__(self, deployment: Deployment, release: bytes) -> None:
        self._deployment = deployment
        self._release = msgspec.json.decode(release, type=ModelRelease)
        self._rules = self._model = ""
        self._value = 0

    def rules(self) -> None:
        """The scenario's own rules and one more, as `fraudbrain rules publish` sends them."""
        scenario = self._deployment.scenario
        names = {rule.name for rule in scenario.rules}
        another = next(rule for rule in many_rules() if rule.name not in names)
        own = publication.rule_set(scenario, author=_AUTHOR, reason=_WHY)
        rules = (*own.rules, another)
        version = rules_version(rules, own.policy)
        self._rules = publication.send(
            self._deployment, msgspec.structs.replace(own, rules=rules, version=version)
        ).version

    def parameter(self) -> None:
        """A person pins it one above where it starts."""
        self._value = int(self._deployment.scenario.parameters[PARAMETER].default) + 1
        hold = ParameterHold(PARAMETER, "", "pin", _AUTHOR, _WHY, self._value)
        self._send("parameters", hold_key(PARAMETER), msgspec.json.encode(hold))

    def model(self) -> None:
        """The same trees under another version: all that a swap costs."""
        self._model = f"{self._release.version}-again"
        self._send("models", CHAMPION_MODEL, seal(msgspec.structs.replace(self._release, version=self._model)))

    def refuse_unseen(self) -> None:
        """Raises UserError where the last decision of a partition was not made by all of them."""
        wanted = (self._rules, self._model, self._value)
        for decision in last_decisions(self._deployment):
            versions = decision.versions
            made_by = (versions.rules, versions.model, decision.parameters.get(PARAMETER))
            if made_by != wanted:
                partition = decision.source.partition
                raise UserError(f"At the end, partition {partition} was decided by {made_by}, not by {wanted}.")

    def _send(self, topic: str, key: bytes, value: bytes) -> None:
        kafka.send(self._deployment.stack.kafka_bootstrap, self._deployment.names.topic(topic), key, value)


def last_decisions(deployment: Deployment) -> Iterator[Decision]:
    """The newest of each partition that has any."""
    bootstrap, topic = deployment.stack.kafka_bootstrap, deployment.names.topic("decisions")
    since = {number: max(0, end - 1) for number, end in kafka.end_offsets(bootstrap, topic).items()}
    for message in kafka.read_all(bootstrap, topic, since=since):
        yield msgspec.json.decode(message.value() or b"", type=Decision)
