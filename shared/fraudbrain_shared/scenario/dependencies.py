"""In which order things are checked that read one another, and the circles if there are any."""

from collections.abc import Iterator, Mapping, Set


def in_order(reads: Mapping[str, Set[str]]) -> Iterator[str]:
    """The keys, each after those that it reads; what a circle keeps waiting is left out."""
    waiting = {name: {each for each in needs if each in reads} for name, needs in reads.items()}
    while ready := next((name for name, needs in waiting.items() if not needs), None):
        del waiting[ready]
        for needs in waiting.values():
            needs.discard(ready)
        yield ready


def circles(reads: Mapping[str, Set[str]]) -> Iterator[list[str]]:
    """The circles, no two with a name in common; the first name stands once more at the end of each."""
    left = dict(reads)
    while waiting := left.keys() - set(in_order(left)):
        way: list[str] = []
        name = next(each for each in left if each in waiting)
        while name not in way:
            way.append(name)
            name = min(each for each in left[name] if each in waiting)
        yield [*way[way.index(name) :], name]
        for each in way:
            del left[each]
