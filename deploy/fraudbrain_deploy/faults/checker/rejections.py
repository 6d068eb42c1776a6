"""Whether each bad control was rejected where everybody can see it."""

from collections.abc import Iterable, Sequence

from fraudbrain_deploy.faults.checker.evidence import Record


def unpublished(bad: Sequence[tuple[str, int]], progress: Iterable[Record]) -> list[str]:
    """The places, as `topic/offset`, of bad controls that no worker's progress speaks of."""
    waiting = {f"{topic}/{offset}": f"{topic}/{offset} rejected".encode() for topic, offset in bad}
    for record in progress:
        if record.value is None or b"rejected" not in record.value:
            continue
        for place in [place for place, words in waiting.items() if words in record.value]:
            del waiting[place]
    return sorted(waiting)
