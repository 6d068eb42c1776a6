"""A value that comes in order of time, folded into a list of hops by one generated Python function.

Such a value belongs to the newest hop or begins one after it. What is to be done is told by column, in a closed table
of code; for columns that are not in it their aggregates are called. The late ones always are: see `shared_hops`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from fraudbrain_shared.features.aggregates import Aggregate
from fraudbrain_shared.features.keeper import State

Add = Callable[[State, Any, Any, int, int], int]
"""(state, value, key, time, clock) → for how many features the value came too late; as `Keeper.add`."""


class _Code(NamedTuple):
    """What a value does that begins a hop, and what one does that belongs to the newest.

    The column stands in the variable of its letter, `last` is the place of the newest hop.
    """

    begins: str
    belongs: str


_SUM: Final = _Code("{0}.append({0}[-1] + {1})", "{0}[-1] += {1}")


def _sum(letter: str, amount: str) -> _Code:
    return _Code(*(each.format(letter, amount) for each in _SUM))


_CODE: Final[Mapping[str, _Code]] = {
    "n": _sum("n", "1"),
    "s": _sum("s", "value"),
    "q": _sum("q", "value * value"),
    "f": _Code("f.append(value)", "f[-1] += value"),
    "l": _Code(
        "l.append(value)\nif last and l[last - 1] > value: add_l(l, last - 1, value, time)",
        "if l[last] > value: add_l(l, last, value, time)",
    ),
    "h": _Code(
        "h.append(value)\nif last and h[last - 1] < value: add_h(h, last - 1, value, time)",
        "if h[last] < value: add_h(h, last, value, time)",
    ),
    "a": _Code("a.append([time, value])", "pass"),
    "z": _Code("z[0] = time\nz[1] = value", "z[0] = time\nz[1] = value"),
}
"""By the letter of `COLUMNS`."""


class Hops(NamedTuple):
    """The length of the shortest hops, and in a state the place of what `shared_hops` keeps there."""

    hop_s: int
    starts: int
    limit: int
    columns: int


def compile_add(
    hops: Hops,
    aggregates: Mapping[str, Aggregate],
    add_late: Add,
    regroup: Callable[[State, int], None],
) -> Add:
    """The function for states with a column for each of the `aggregates`, in their order.

    It calls `add_late` for a value before the clock, and `regroup` for a list of hops that is too long. No hop is
    kept within a key: that is not looked at.
    """
    lines = [
        "if time < clock: return add_late(state, value, key, time, clock)",
        f"starts = state[{hops.starts}]",
        f"start = time // {hops.hop_s * 1000} * {hops.hop_s}",
        "if starts and starts[-1] >= start:",
        *_indented(_column_lines(hops, aggregates, "len(starts) - 1", begins=False)),
        "else:",
        f"    if len(starts) >= state[{hops.limit}]: regroup(state, clock // 1000)",
        *_indented(_column_lines(hops, aggregates, "len(starts)", begins=True)),
        "    starts.append(start)",
        "return 0",
    ]
    source = "\n".join(["def add(state, value, key, time, clock):", *_indented(lines)])
    namespace: dict[str, Any] = {"__builtins__": {}, "len": len, "add_late": add_late, "regroup": regroup}
    for letter, each in aggregates.items():
        namespace |= {f"add_{letter}": each.add, f"insert_{letter}": each.insert}
    exec(compile(source, "<generated add>", "exec"), namespace)  # noqa: S102 (our own text, built here)
    add: Add = namespace["add"]
    return add


def _column_lines(hops: Hops, aggregates: Mapping[str, Aggregate], last: str, *, begins: bool) -> Iterator[str]:
    codes = [_code(letter, begins=begins) for letter in aggregates]
    if any("last" in code for code in codes):
        yield f"last = {last}"
    for column, (letter, code) in enumerate(zip(aggregates, codes, strict=True), hops.columns):
        if code:
            yield f"{letter} = state[{column}]"
            yield from code.split("\n")


def _code(letter: str, *, begins: bool) -> str:
    if letter in _CODE:
        return _CODE[letter].begins if begins else _CODE[letter].belongs
    return f"{'insert' if begins else 'add'}_{letter}({letter}, last, value, time)"


def _indented(lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
    return (f"    {line}" for line in lines)
