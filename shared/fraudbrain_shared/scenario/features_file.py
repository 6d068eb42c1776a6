"""`features.toml`: what is folded per subject and per entity, and what is derived from it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from fraudbrain_shared.expressions import Expression
from fraudbrain_shared.scenario.context_table import ContextKinds, read_context
from fraudbrain_shared.scenario.dependencies import circles, in_order
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.expression_check import DERIVED_SOURCES, ExpressionCheck, names_in
from fraudbrain_shared.scenario.feature_keys import note_twins
from fraudbrain_shared.scenario.kinds import EXPRESSION, ExpressionText, table_of
from fraudbrain_shared.scenario.names import fault_of_name
from fraudbrain_shared.scenario.profile_table import Profiles, declared_features, note_row_size, with_expressions
from fraudbrain_shared.scenario.scope import derived_path, derived_scope
from fraudbrain_shared.scenario.table import Names, Table, inside

_PROFILE: Final = "profile."
_DERIVED: Final = "derived."


class DerivedTexts(Names[ExpressionText]):
    """A value computed of event, profile, context and other derived features; in error it is unknown."""

    called = "<name>"
    entry = EXPRESSION
    example = '"double(event.amount) / profile.spend_30d_mean"'


class FeaturesFile(Table):
    """What is folded and derived. Every read and every derived feature is as of just before the event."""

    profile = inside(table_of(Profiles), "What the fast tier folds for each subject.")
    context = inside(table_of(ContextKinds), "What the slow tier folds for each entity.")
    derived = inside(table_of(DerivedTexts), "What is computed of these, by name.")


def read_features(file: FeaturesFile, scenario: Scenario, expressions: ExpressionCheck) -> Scenario:
    """The scenario, which has event types already, with its context, profile and derived features.

    Derived features stand after those that they read.
    """
    scenario = replace(
        scenario,
        context=read_context(file.context, scenario.event_types, expressions),
        profile=declared_features(file.profile, scenario.event_types, expressions),
    )
    for name in file.derived.names:
        if fault := fault_of_name(name):
            file.derived.note(fault, key=name, at_key=True)
    derived = _Derived(file.derived.entries(), scenario, expressions)
    tables = file.profile.entries()
    written = {
        **{f"{_PROFILE}{name}": table.written() for name, table in tables.items()},
        **{derived_path(name): [text] for name, text in derived.texts.items()},
    }
    reads = {node: _read_by(texts, scenario) for node, texts in written.items()}
    _note_circles(reads, written, scenario, expressions)
    for node in in_order(reads):
        name = node.partition(".")[2]
        if node.startswith(_PROFILE):
            feature = with_expressions(scenario.profile[name], tables[name], scenario, expressions)
            scenario = replace(scenario, profile={**scenario.profile, name: feature})
        elif (found := derived.checked(name, scenario)) is not None:
            scenario = replace(scenario, derived={**scenario.derived, name: found})
    note_twins(file.profile, scenario.profile.values())
    note_row_size(file.profile, scenario.profile.values())
    return scenario


def _read_by(written: Sequence[ExpressionText], scenario: Scenario) -> frozenset[str]:
    """The profile and derived features that some expressions read: `profile.spend_1d`, `derived.ratio`."""
    features = {
        f"{_PROFILE}{read}": f"{_PROFILE}{name}"
        for name, each in scenario.profile.items()
        for read in each.read_names()
    }
    names = [".".join(name.split(".")[:2]) for each in written for name in names_in(each.text)]
    return frozenset(features.get(name, name) for name in names if name.startswith((_PROFILE, _DERIVED)))


def _note_circles(
    reads: Mapping[str, frozenset[str]],
    written: Mapping[str, Sequence[ExpressionText]],
    scenario: Scenario,
    expressions: ExpressionCheck,
) -> None:
    """Features that wait for themselves have no value; what reads them is passed over."""
    for node in reads.keys() - set(in_order(reads)):
        if node.startswith(_PROFILE):
            expressions.mark_all_broken(f"{node}_")
        else:
            expressions.mark_broken(node)
    for found in circles(reads):
        text = next(each for each in written[found[0]] if found[1] in _read_by([each], scenario))
        text.table.note(f"features read each other in a circle: {' → '.join(found)}", key=text.key)


class _Derived:
    """The derived features while they are checked, one after the other, on every type of event that is decided."""

    def __init__(self, texts: Mapping[str, ExpressionText], scenario: Scenario, expressions: ExpressionCheck) -> None:
        self.texts = texts
        self._decided = [each for each in scenario.event_types.values() if each.decide]
        self._by_type: list[dict[str, Expression]] = [{} for _ in self._decided]
        self._expressions = expressions

    def checked(self, name: str, scenario: Scenario) -> Expression | None:
        """The feature as it is on the first type, but unknown or failing where it may be on any; None with its
        problems noted. It must have one type on all of them."""
        written = self.texts[name]
        scopes = [derived_scope(scenario, *each) for each in zip(self._decided, self._by_type, strict=True)]
        found = self._expressions.check(written, scopes, None, DERIVED_SOURCES)
        if not found:
            self._expressions.mark_broken(derived_path(name))
            return None
        if len({each.type for each in found}) > 1:
            written.table.note("its type differs from one type of event to another", key=name)
        for earlier, expression in zip(self._by_type, found, strict=True):
            earlier[name] = expression
        return replace(
            found[0],
            may_be_unknown=any(each.may_be_unknown for each in found),
            may_fail=any(each.may_fail for each in found),
            reads=frozenset().union(*(each.reads for each in found)),
        )
