"""Why was this event decided so? The decision from the slow tier's table, in words."""

import subprocess
import sys
from itertools import zip_longest

import msgspec

from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.display import shown_time
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.replaying.controls_log import champion_records
from fraudbrain_shared.decisions.reasons import reasons
from fraudbrain_shared.masking import Mask
from fraudbrain_shared.models import ReleaseError, Scorer, load_scorer
from fraudbrain_shared.records import Decision
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.feature_set import feature_names

LOOK_UP_TIMEOUT_S = 60.0
_NOT_FOUND = 1  # exit code of `python -m fraudbrain_streaming decision`


class Found(msgspec.Struct, frozen=True):
    """What the slow tier keeps of an event; either part is null while it has not been archived."""

    event: msgspec.Raw
    decision: Decision | None

    def masked(self, mask: Mask) -> "Found":
        """Without what is about a person."""
        return Found(msgspec.Raw(mask.event(bytes(self.event))), self.decision and mask.decision(self.decision))


def look_up(deployment: Deployment, *, subject: str, event_id: str) -> Found | None:
    """The event and its effective decision as the slow tier keeps them, or None while it knows of neither.

    It is asked through that tier's own command, since only it knows its table. Raises UserError where it
    cannot answer.
    """
    host, port = deployment.stack.thrift_address
    program = [
        *(sys.executable, "-m", "fraudbrain_streaming", "decision"),
        *("--space", deployment.names.space, "--thrift", f"{host}:{port}"),
        *(f"--subject={subject}", "--reveal", "--", event_id),
    ]
    try:
        done = subprocess.run(program, check=False, capture_output=True, timeout=LOOK_UP_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise UserError(
            f"HBase did not answer within {LOOK_UP_TIMEOUT_S:.0f} s.", "See `fraudbrain stack status`."
        ) from error
    if done.returncode == _NOT_FOUND:
        return None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise UserError(f"The slow tier's table cannot be read: {''.join(last)}", "See `fraudbrain stack status`.")
    return msgspec.json.decode(done.stdout, type=Found)


def champion_of(deployment: Deployment, decision: Decision) -> Scorer | None:
    """The release that scored a decision which is not approved, if it can still be had and fits the scenario.

    Only of such a one it is told what made the score. Without a broker it is told without.
    """
    version = decision.versions.model
    if version is None or decision.outcome == "approve":
        return None
    try:
        found = champion_records(deployment).get(version)
        return load_scorer(found, feature_names(deployment.scenario)) if found else None
    except (ReleaseError, TimeoutError, KeyError):  # another form; no broker; no topic
        return None


def explain(scenario: Scenario, decision: Decision, champion: Scorer | None = None) -> str:
    """The decision for people: outcome, reasons, what it was made from.

    `champion` is the release that scored it, if it can still be had: it says what made the score.
    """
    source = decision.source
    lines = [
        f"{decision.outcome.upper()}  {decision.type} {decision.event_id} at {shown_time(decision.event_time)} UTC",
        *_section("why", _reasons(scenario, decision, champion)),
        *_section("findings", decision.findings or ["none"]),
        *_section("could not be evaluated", [*decision.unknown, *decision.failed]),
        *_section("degraded", decision.degraded),
        *_section("features, just before the event", _features(scenario, decision)),
        *_section("context", [_valued(name, value) for name, value in decision.context.items()]),
        *_section("parameters", [f"{name} = {value:g}" for name, value in decision.parameters.items()]),
        *_section(
            "made by",
            [
                f"rules {decision.versions.rules}, scenario {decision.versions.scenario}, "
                f"model {decision.versions.model or 'none'}, build {decision.versions.build}",
                f"group {decision.group}, from events/{source.partition}/{source.offset}, "
                f"appended {shown_time(source.append_time)} UTC",
            ],
        ),
    ]
    return "\n".join(lines)


def _valued(name: str, value: float | None) -> str:
    return f"{name} = {'unknown' if value is None else f'{value:g}'}"


def _reasons(scenario: Scenario, decision: Decision, champion: Scorer | None) -> tuple[str, ...]:
    names = feature_names(scenario)
    if champion is None or len(names) != len(decision.features):
        return reasons(decision, scenario.rules)
    values = dict(zip(names, decision.features, strict=True))
    return reasons(decision, scenario.rules, values=values, contributions=champion.contributions(decision.features))


def _features(scenario: Scenario, decision: Decision) -> list[str]:
    """By name, if the features are those of the scenario as it is now."""
    names = feature_names(scenario)
    known = names if len(names) == len(decision.features) else ()
    width = max(map(len, known), default=2)
    return [
        f"{name or f'#{place}':{width}}  {'unknown' if value is None else f'{value:g}'}"
        for place, (name, value) in enumerate(zip_longest(known, decision.features))
    ]


def _section(title: str, lines: list[str] | tuple[str, ...]) -> list[str]:
    return [f"  {title}", *(f"    {line}" for line in lines)] if lines else []
