"""What the judge found wrong, by invariant, with a few examples of each."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

EXAMPLES: Final = 10

INVARIANTS: Final = {
    "I1": "complete: each offset ends in exactly one way, each event has its decision",
    "I2": "correct: what was decided is what a naive fold says, or is flagged degraded",
    "I3": "deterministic: equal inputs, equal decisions, in all groups",
    "I4": "counters: each profile says what a naive fold says",
    "I5": "dead letters: every reject there with its reason, its bytes and its place",
    "I6": "controls: only what was valid and active decided",
    "I7": "order: first decisions of a subject come in the order of its events",
}


@dataclass
class Findings:
    """Violations are wrong; counts are worth knowing."""

    violations: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def wrong(self, invariant: str, what: str) -> None:
        """Notes a violation."""
        self.violations[invariant] += 1
        examples = self.examples.setdefault(invariant, [])
        if len(examples) < EXAMPLES:
            examples.append(what)

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.violations
