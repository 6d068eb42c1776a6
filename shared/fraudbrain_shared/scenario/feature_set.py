"""The features whose values every decision logs: their names in order, and the hash of that list."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.expressions.compiler import function_of, returned
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.scope import profile_reads, read_type

Logged: TypeAlias = Callable[[Sequence[object], Sequence[object]], tuple[float | None, ...]]
"""(profile, derived) → the features as they are logged: numbers, None for what is unknown or not numeric."""


def feature_names(scenario: Scenario) -> tuple[str, ...]:
    """The names of the logged features, in the order of `Decision.features`: what models may read."""
    return (*profile_reads(scenario), *scenario.derived)


def feature_set(names: Sequence[str]) -> str:
    """The hash that a decision carries of the names of its features: vectors of equal hash may be mixed."""
    return sha256("\n".join(names).encode()).hexdigest()[:16]


def compile_logged(scenario: Scenario) -> Logged:
    """The function that makes what is logged of the reads of the profile and the derived features, by their types."""
    reads = [read_type(feature, read) for feature in scenario.profile.values() for read in feature.read]
    codes = {f"p{place}": type_ for place, type_ in enumerate(reads)}
    codes |= {f"d{place}": each.type for place, each in enumerate(scenario.derived.values())}
    lines = [
        f"[{', '.join(name for name in codes if name[0] == 'p')}] = profile",
        f"[{', '.join(name for name in codes if name[0] == 'd')}] = derived",
        *returned([_number_code(name, type_) for name, type_ in codes.items()]),
    ]
    return function_of("logged", ("profile", "derived"), lines, {})


def _number_code(name: str, type_: Type) -> str:
    if type_ is Type.DOUBLE:
        return name
    is_number = type_ in (Type.INT, Type.BOOL, Type.TIMESTAMP, Type.DURATION)
    return f"None if {name} is None else {name} * 1.0" if is_number else "None"
