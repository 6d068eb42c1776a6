"""The features whose values every decision logs: their names in order, and the hash of that list."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, TypeAlias

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.expressions.compiler import function_of, returned
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.scope import profile_reads, read_type

Logged: TypeAlias = Callable[[Sequence[object], Sequence[object]], tuple[float | None, ...]]
"""(profile, derived) → the features as they are logged: numbers, whole ones as such; None for what is unknown or not
numeric."""

_PLAIN: Final = frozenset((Type.INT, Type.DOUBLE, Type.TIMESTAMP, Type.DURATION))


def feature_names(scenario: Scenario) -> tuple[str, ...]:
    """The names of the logged features, in the order of `Decision.features`: what models may read."""
    return (*profile_reads(scenario), *scenario.derived)


def feature_set(names: Sequence[str]) -> str:
    """The hash that a decision carries of the names of its features: vectors of equal hash may be mixed."""
    return sha256("\n".join(names).encode()).hexdigest()[:16]


def compile_logged(scenario: Scenario) -> Logged:
    """The function that makes what is logged of the reads of the profile and the derived features, by their types."""
    reads = [read_type(feature, read) for feature in scenario.profile.values() for read in feature.read]
    types = [*reads, *(each.type for each in scenario.derived.values())]
    if _PLAIN.issuperset(types):
        return function_of("logged", ("profile", "derived"), ["return (*profile, *derived)"], {})
    results = [_number_code(f"v{place}", type_) for place, type_ in enumerate(types)]
    values = ", ".join(f"v{place}" for place in range(len(types)))
    return function_of("logged", ("profile", "derived"), [f"[{values}] = (*profile, *derived)", *returned(results)], {})


def _number_code(name: str, type_: Type) -> str:
    if type_ in _PLAIN:
        return name
    return f"None if {name} is None else {name} * 1" if type_ is Type.BOOL else "None"
