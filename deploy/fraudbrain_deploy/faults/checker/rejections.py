"""Whether each bad control was rejected aloud."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from fraudbrain_deploy.faults.checker.controls import GRACE_MS
from fraudbrain_deploy.faults.checker.evidence import Record

Place = tuple[str, int]
"""Topic and offset of a control."""


def unsaid(bad: Iterable[Place], told: Iterable[bytes]) -> list[Place]:
    """Those of which nothing in `told` says that they are rejected."""
    waiting = {f"{topic}/{offset} rejected: ".encode(): (topic, offset) for topic, offset in bad}
    for text in told:
        if b" rejected: " in text:
            for words in [words for words in waiting if words in text]:
                del waiting[words]
    return sorted(waiting.values())


def replaced_at_once(rules: Sequence[Record]) -> set[Place]:
    """The rule sets that were replaced before they could act: nobody needs to look at them."""
    return {
        ("rules", record.offset)
        for record, following in pairwise(rules)
        if following.append_ms - record.append_ms < GRACE_MS
    }
