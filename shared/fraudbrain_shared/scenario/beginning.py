"""A scenario over a log that does not reach back to the beginning of time: what may be unknown, and until when."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from fraudbrain_shared.expressions import Expression, Type, check
from fraudbrain_shared.scenario.description import ProfileFeature, Scenario, Span, Window, Within
from fraudbrain_shared.scenario.scope import derived_path, fold_scope

NEVER: Final = 2**62
"""After all times, UTC ms."""


def beginning_at(scenario: Scenario, since: int) -> tuple[Scenario, Mapping[str, int]]:
    """The scenario and, by feature id, from when on its folds know all, where the log holds all events from the event
    time `since` on (UTC ms) and lacks earlier ones. 0 is the beginning of time: the scenario as it is.

    Expressions that read the profile are made to expect that anything in it is unknown. What they fold is known once
    all that they read was; of features that reach back by another measure than time nobody can tell when.
    """
    if since <= 0:
        return scenario, {}
    known = _Known(scenario, since)
    times = {each.id: known.folded_from(each) for each in scenario.profile.values()}
    unknowing = scenario.without_profile()
    profile = {name: _with_unknowns(unknowing, each) for name, each in scenario.profile.items()}
    return replace(unknowing, profile=profile), times


class _Known:
    """From when on what is known."""

    def __init__(self, scenario: Scenario, since: int) -> None:
        self._derived = scenario.derived
        self._features = {f"profile.{name}": each for each in scenario.profile.values() for name in each.read_names()}
        self._since = since

    def folded_from(self, feature: ProfileFeature) -> int:
        """From when on all is folded that belongs in the feature."""
        span = feature.span
        expressions = (feature.value, feature.where, span.key if isinstance(span, Within) else None)
        read = [each for expression in expressions if expression for each in self._read_by(expression.reads)]
        if read and not isinstance(span, Window):
            return NEVER
        return max((self._read_from(each) for each in read), default=self._since)

    def _read_from(self, feature: ProfileFeature) -> int:
        """From when on its reads are known whatever comes."""
        span, begun = feature.span, self.folded_from(feature)
        return begun + span.length_ms + span.hop_ms if isinstance(span, Window) and begun < NEVER else NEVER

    def _read_by(self, paths: Iterable[str]) -> Iterable[ProfileFeature]:
        for path in paths:
            if path in self._features:
                yield self._features[path]
            elif path.startswith(derived_path("")):
                yield from self._read_by(self._derived[path.removeprefix(derived_path(""))].reads)


def _with_unknowns(scenario: Scenario, feature: ProfileFeature) -> ProfileFeature:
    scope = fold_scope(scenario, scenario.event_types[feature.on])

    def again(expression: Expression | None, expected: Type | None = None) -> Expression | None:
        return None if expression is None else check(expression.text, scope, expected)

    span: Span = feature.span
    if isinstance(span, Within):
        span = Within(check(span.key.text, scope, span.key.type))
    return replace(feature, value=again(feature.value), where=again(feature.where, Type.BOOL), span=span)
