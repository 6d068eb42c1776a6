"""The features whose values every decision logs: their names in order, and the hash of that list."""

from collections.abc import Sequence
from hashlib import sha256

from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.scope import profile_reads


def feature_names(scenario: Scenario) -> tuple[str, ...]:
    """The names of the logged features, in the order of `Decision.features`: what models may read."""
    return (*profile_reads(scenario), *scenario.derived)


def feature_set(names: Sequence[str]) -> str:
    """The hash that a decision carries of the names of its features: vectors of equal hash may be mixed."""
    return sha256("\n".join(names).encode()).hexdigest()[:16]
