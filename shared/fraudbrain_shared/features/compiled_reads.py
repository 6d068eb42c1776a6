"""All profile features of a scenario as one generated Python function that reads them from the states of a subject.

The code comes from the closed tables below and from numbers; nobody's text reaches it.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import gcd
from struct import Struct
from typing import Any, Final

from fraudbrain_shared.expressions import Type
from fraudbrain_shared.features.aggregates.distinct import sketched_since
from fraudbrain_shared.features.aggregates.quantiles import in_order, quantile
from fraudbrain_shared.features.aggregates.real_total import real_sum
from fraudbrain_shared.features.aggregates.spread import stddev_of_moments, stddev_of_sums
from fraudbrain_shared.features.flat_layout import READ_MEAN
from fraudbrain_shared.features.flat_states import FlatStates, by_reach, slots
from fraudbrain_shared.features.hops import INT64_MAX, INT64_MIN, bounded
from fraudbrain_shared.features.last_values import VALUES, read_last
from fraudbrain_shared.features.profile import Profile
from fraudbrain_shared.features.reads import Reading
from fraudbrain_shared.features.shared_hops import COLUMNS, STARTS
from fraudbrain_shared.features.within import CHANGED, INSIDE, KEY
from fraudbrain_shared.scenario.beginning import NEVER
from fraudbrain_shared.scenario.description import LastValues, ProfileFeature, Read, Window, Within
from fraudbrain_shared.scenario.profile_state import ENDLESS_S, StateShape, columns_of
from fraudbrain_shared.scenario.reads import quantile_percent
from fraudbrain_shared.scenario.scope import KNOWN_READS

ReadAll = Callable[[Profile, Sequence[Any], int, Sequence[Any]], tuple[Reading, ...]]
"""(profile, states, now, keys) → every read. `states` are those that are not flat; `now` is the end of all windows,
UTC ms; `keys` what the event has for each state that is kept within a key, in the order of the states: None where it
cannot be evaluated."""
ReadSlowly = Callable[[Profile, int], tuple[Reading, ...]]
"""What the kernel declines to read: the features of flat states, in their order."""

# How the columns are read of the hops from `place` on, where there are some; they are called by their letters, BEGIN is
# the second at which the window begins.
_INT_CODE: Final[Mapping[Read, str]] = {
    "sum": f"total if {INT64_MIN} <= total <= {INT64_MAX} else bounded(total)",
    "mean": "total / count if count else None",
    "stddev": "stddev_of_sums(count, total, q[-1] - q[place])",
}
_DOUBLE_CODE: Final[Mapping[Read, str]] = {
    "sum": "total",
    "mean": "total / count if count else None",
    "stddev": "stddev_of_moments(m[place:])",
}
_CODE: Final[Mapping[Read, str]] = {
    "count": "count",
    "min": "l[place]",
    "max": "h[place]",
    "first": "a[place][1]",
    "last": "z[1]",
    "seconds_since": "(now - z[0]) // 1000",
    "distinct": "sketched_since(d, BEGIN) if d[0] else len(newest) - bisect_left(newest, BEGIN)",
    "streak": "r[2][-1] - r[2][place]",
}
# What all windows have in common, and what the reads of one.
_SHARED: Final = {"d": "newest = list(d[1].values())", "u": "bins = in_order(u)"}
_COMMON: Final[Mapping[str, str]] = {
    "n": "count = n[-1] - n[place]",
    "s": "total = s[-1] - s[place]",
    "f": "total = real_sum(f[place:])",
}
_CALLED: Final = {
    each.__name__: each
    for each in (
        len,
        list,
        sorted,
        float,
        bisect_left,
        bounded,
        in_order,
        quantile,
        read_last,
        real_sum,
        sketched_since,
        stddev_of_moments,
        stddev_of_sums,
    )
}


def compile_reads(
    features: Sequence[ProfileFeature],
    shapes: Sequence[StateShape],
    since: Mapping[str, int],
    flat: FlatStates | None = None,
    read_slowly: ReadSlowly | None = None,
) -> ReadAll:
    """The function that reads `features`, in order, from states in the order of `shapes`, and from `flat` ones.

    `since` says for features, by id, from which time on their records were folded, UTC ms: a read that reaches
    back beyond is unknown. The others have no beginning.
    """
    variables = _variables(features)
    results = "".join(f"{variable}, " for each in features for variable in variables[each.name])
    lines = [
        *_begin_lines([each for each in features if flat is None or each.id in since or not _is_in(each, flat)]),
        *(_flat_lines(flat, variables, since) if flat and flat.shapes else ()),
        *(line for place, shape in enumerate(shapes) for line in _state_lines(place, shapes, shape, variables, since)),
        f"return ({results})",
    ]
    source = "\n".join(["def read_all(profile, states, now, keys):", *(f"    {line}" for line in lines)])
    namespace: dict[str, Any] = {"__builtins__": {}, "NEVER": -ENDLESS_S, **_CALLED}
    if flat:
        namespace |= {"kernel": flat.kernels.read, "work": flat.work, "memory": flat.memory, "slowly": read_slowly}
        namespace["unpack"] = Struct(_words(flat)).unpack_from
    exec(compile(source, "<generated read_all>", "exec"), namespace)  # noqa: S102 (our own text, built here)
    read_all: ReadAll = namespace["read_all"]
    return read_all


_Variables = Mapping[str, Sequence[str]]
"""The variable of each read, by the feature's name."""


def _variables(features: Sequence[ProfileFeature]) -> _Variables:
    variables, place = {}, 0
    for each in features:
        variables[each.name] = [f"v{place + offset}" for offset in range(len(each.read))]
        place += len(each.read)
    return variables


def _is_in(feature: ProfileFeature, flat: FlatStates) -> bool:
    return any(feature in shape.features for shape in flat.shapes)


def _words(flat: FlatStates) -> str:
    """The format of all that the kernel leaves."""
    all_slots = (slot for shape in flat.shapes for each in by_reach(shape) for slot in slots(each))
    return "=" + "".join("d" if slot == READ_MEAN else "q" for slot in all_slots)


def _flat_lines(flat: FlatStates, variables: _Variables, since: Mapping[str, int]) -> Iterator[str]:
    names, lines = [], []
    for shape in flat.shapes:
        for feature in by_reach(shape):
            own = variables[feature.name]
            unknown = [name for name, read in zip(own, feature.read, strict=True) if read not in KNOWN_READS]
            if unknown:
                names.append(f"{own[0]}_hops")
            for name, read in zip(own, feature.read, strict=True):
                if read == "stddev":
                    names += [f"{name}_count", f"{name}_total", f"{name}_squares"]
                    lines.append(f"{name} = stddev_of_sums({name}_count, {name}_total, {name}_squares)")
                else:
                    names.append(name)
            if unknown:
                lines.append(f"if not {own[0]}_hops: {' = '.join(unknown)} = None")
    features = [each for shape in flat.shapes for each in shape.features]
    yield "if kernel(profile.flat, work, now) < 0:"
    yield f"    {''.join(f'{name}, ' for each in features for name in variables[each.name])} = slowly(profile, now)"
    yield "else:"
    yield f"    {''.join(f'{name}, ' for name in names)} = unpack(memory, {flat.out_at})"
    yield from (f"    {line}" for line in lines)
    for feature in features:
        yield from _since_lines(feature, variables, since)


def _since_lines(feature: ProfileFeature, variables: _Variables, since: Mapping[str, int]) -> Iterator[str]:
    if feature.id in since:
        yield f"if {_reaches_before(feature, since[feature.id])}:"
        yield f"    {' = '.join(variables[feature.name])} = None"


def _state_lines(
    place: int, shapes: Sequence[StateShape], shape: StateShape, variables: _Variables, since: Mapping[str, int]
) -> Iterator[str]:
    yield f"state = states[{place}]"
    nothing = f"state is None or not state[{VALUES}]" if shape.kind == "last" else "state is None"
    if shape.kind == "within":
        key = f"keys[{[each for each in shapes if each.kind == 'within'].index(shape)}]"
        yield f"inside = state is not None and ({key} is None or {key} == state[{KEY}])"
        yield f"changed = state is not None and (state[{CHANGED}] or not inside and state[{KEY}] is not None)"
        nothing = "not inside"
    yield f"if {nothing}:"
    for feature in shape.features:
        for read, variable in zip(feature.read, variables[feature.name], strict=True):
            yield f"    {variable} = {_of_nothing(read, shape.value_type)}"
    yield "else:"
    lines = _last_lines(shape, variables) if shape.kind == "last" else _hop_lines(shape, variables)
    yield from (f"    {line}" for line in lines)
    for feature in shape.features:
        yield from _since_lines(feature, variables, since)


def _of_nothing(read: Read, value_type: Type) -> Reading:
    if read not in KNOWN_READS:
        return None
    return 0.0 if read == "sum" and value_type is Type.DOUBLE else 0


def _hop_lines(shape: StateShape, variables: _Variables) -> Iterator[str]:
    if shape.kind == "within":
        yield f"state = state[{INSIDE}]"
    yield f"starts = state[{STARTS}]"
    if any(isinstance(each.span, Window) for each in shape.features):
        yield "newest_s = starts[-1] if starts else NEVER"
    for column, letter in enumerate(shape.columns, COLUMNS):
        yield f"{letter} = state[{column}]"
        if letter in _SHARED:
            yield _SHARED[letter]
    for feature in shape.features:
        reads = dict(zip(variables[feature.name], feature.read, strict=True))
        begin = _begin(feature.span) if isinstance(feature.span, Window) else None
        yield f"if newest_s >= {begin}:" if begin else "if starts:"
        yield f"    place = bisect_left(starts, {begin})" if begin else "    place = 0"
        yield from (f"    {line}" for letter, line in _COMMON.items() if letter in columns_of(feature))
        for variable, read in reads.items():
            yield f"    {variable} = {_code(read, shape.value_type).replace('BEGIN', begin or '0')}"
        yield "else:"
        yield from (f"    {variable} = {_of_nothing(read, shape.value_type)}" for variable, read in reads.items())


def _begin_lines(features: Sequence[ProfileFeature]) -> Iterator[str]:
    """The windows' first seconds, by what all lengths and hops have in common: Python divides small numbers faster."""
    windows = list(dict.fromkeys(each.span for each in features if isinstance(each.span, Window)))
    if not windows:
        return
    unit_ms = gcd(*(length for each in windows for length in (each.length_ms, each.hop_ms)))
    yield f"unit = now // {unit_ms}"
    for each in windows:
        length, hop = each.length_ms // unit_ms, each.hop_ms // unit_ms
        yield f"{_begin(each)} = (unit - {length}) // {hop} * {each.hop_ms // 1000}"


def _begin(window: Window) -> str:
    """The variable of the second at which a window begins."""
    return f"begin_{window.length_ms}_{window.hop_ms}"


def _code(read: Read, value_type: Type) -> str:
    percent = quantile_percent(read)
    if percent is not None:
        return f"quantile(bins, {percent})"
    return (_DOUBLE_CODE if value_type is Type.DOUBLE else _INT_CODE).get(read) or _CODE[read]


def _last_lines(shape: StateShape, variables: _Variables) -> Iterator[str]:
    for feature in shape.features:
        if not isinstance(feature.span, LastValues):
            continue
        yield f"values = state[{VALUES}][-{feature.span.count}:]"
        if any(map(quantile_percent, feature.read)):
            yield "ordered = sorted(values)"
        for read, variable in zip(feature.read, variables[feature.name], strict=True):
            percent = quantile_percent(read)
            code = f"read_last({read!r}, state, values, now)"
            if percent is not None:
                code = f"float(ordered[-(-{percent} * len(values) // 100) - 1])"
            yield f"{variable} = {code}"


def _reaches_before(feature: ProfileFeature, since: int) -> str:
    """The test that a read needs what was not folded."""
    if since >= NEVER:
        return "True"
    span = feature.span
    if isinstance(span, Window):
        return f"{_begin(span)} * 1000 < {since}"
    if isinstance(span, LastValues):
        return f"state is None or len(state[{VALUES}]) < {span.count}"
    return "not changed" if isinstance(span, Within) else "True"
