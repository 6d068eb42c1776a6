"""Why an event was decided so, in words for people."""

from collections.abc import Mapping, Sequence
from typing import Final

from fraudbrain_shared.models import Contributions
from fraudbrain_shared.records import Decision, RuleText

MOST_FEATURES: Final = 5
_WORTH_SAYING: Final = 0.05  # log-odds: less moves a probability of a half by about one in a hundred


def reasons(
    decision: Decision,
    rules: Sequence[RuleText],
    *,
    values: Mapping[str, float | None] | None = None,
    contributions: Contributions | None = None,
) -> tuple[str, ...]:
    """A sentence for everything that spoke for or against the event, the findings first.

    `rules` are those that decided. `contributions` say what made the champion's score what it is, and `values` what the
    features were; without them the score stands alone.
    """
    about = {rule.name: rule.description for rule in rules}
    found = [about.get(name) or name for name in decision.findings]
    found += [_on_degraded(each) for each in decision.degraded]
    if decision.scores.champion is not None:
        found.append(_on_score(decision.scores.champion, values or {}, contributions))
    return tuple(found) or ("Nothing was found",)


def _on_degraded(reason: str) -> str:
    kind, _, what = reason.partition(":")
    match kind:
        case "policy_unknown":
            return f"Whether the policy's clause {what} applies could not be known"
        case "context_stale":
            return "What is known of entities was too old to rely on"
        case _:
            return reason


def _on_score(score: float, values: Mapping[str, float | None], contributions: Contributions | None) -> str:
    said = f"The model puts the probability of fraud at {score:.1%}"
    if contributions is None:
        return said
    spoke = sorted(contributions.by_feature.items(), key=lambda each: -abs(each[1]))[:MOST_FEATURES]
    worth = [_on_feature(name, values.get(name), by) for name, by in spoke if abs(by) >= _WORTH_SAYING]
    return f"{said}: {', '.join(worth)}" if worth else said


def _on_feature(name: str, value: float | None, by: float) -> str:
    known = "unknown" if value is None else f"{value:g}"
    return f"{name} {known} {'for' if by > 0 else 'against'} ({by:+.2f})"
