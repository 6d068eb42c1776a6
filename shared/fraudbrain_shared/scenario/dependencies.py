"""In which order things are checked that read one another, and the circle if there is one."""

from collections.abc import Iterator, Mapping, Set


def in_order(reads: Mapping[str, Set[str]]) -> Iterator[str]:
    """The keys, each after those that it reads; what a circle keeps waiting is left out."""
    waiting = {name: {each for each in needs if each in reads} for name, needs in reads.items()}
    while ready := next((name for name, needs in waiting.items() if not needs), None):
        del waiting[ready]
        for needs in waiting.values():
            needs.discard(ready)
        yield ready


def circle(reads: Mapping[str, Set[str]]) -> list[str]:
    """Some circle, its first name once more at the end; empty if there is none."""
    waiting = dict.fromkeys(each for each in reads if each not in set(in_order(reads)))
    way: list[str] = []
    name = next(iter(waiting), None)
    while name is not None and name not in way:
        way.append(name)
        name = min(each for each in reads[name] if each in waiting)
    return [*way[way.index(name) :], name] if name is not None else []
