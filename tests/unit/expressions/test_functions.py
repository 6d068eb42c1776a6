from math import inf, nan
from typing import Any

import pytest

from fraudbrain_shared.expressions import ERROR, Name, Type, check, compile_function
from tests.unit.expressions.evaluation import MAX, MIN, value_of


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("int(x)", 3.9, 3),
        ("int(x)", -3.9, -3),
        ("int(x)", nan, ERROR),
        ("int(x)", inf, ERROR),
        ("int(x)", 2.0**63, ERROR),
        ("int(x)", -(2.0**63), ERROR),
        ("int(x)", 9223372036854774784.0, 9223372036854774784),
        ("int(x)", "42", 42),
        ("int(x)", "+42", 42),
        ("int(x)", "-0042", -42),
        ("int(x)", str(MIN), MIN),
        ("int(x)", str(MAX + 1), ERROR),
        ("int(x)", "9" * 10_000, ERROR),
        ("int(x)", "0" * 10_000 + "9", 9),
        ("int(x)", "abc", ERROR),
        ("int(x)", "1_000", ERROR),
        ("int(x)", " 1", ERROR),
        ("int(x)", "١", ERROR),
        ("int(x)", "", ERROR),
        ("int(x)", 7, 7),
        ("double(x)", MAX, 9223372036854775808.0),
        ("double(x)", 2**53 + 1, 9007199254740992.0),
        ("double(x)", "1.5e3", 1500.0),
        ("double(x)", "-inf", -inf),
        ("double(x)", "1_0.0", ERROR),
        ("double(x)", "x", ERROR),
        ("double(x)", 0.5, 0.5),
        ("string(x)", MIN, str(MIN)),
        ("string(x)", 0.1, "0.1"),
        ("string(x)", 3.0, "3"),
        ("string(x)", 6.02214e23, "6.02214e+23"),
        ("string(x)", True, "true"),
        ("string(x)", "a", "a"),
    ],
)
def test_conversions(text: str, value: Any, result: Any) -> None:
    assert value_of(text, x=value) == result


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("size(x)", 3),
        ("x.size()", 3),
        ("size('')", 0),
        ("size(['a', 'a'])", 2),
        ("x.contains('b')", True),
        ("x.contains('')", True),
        ("x.startsWith('aé')", True),
        ("x.endsWith('a')", False),
        ("x.startsWith('')", True),
        ("x.endsWith('')", True),
        ("x.endsWith('éb') && x.endsWith('aéb') && !x.endsWith('xaéb')", True),
        ("x.startsWith('aéb') && !x.startsWith('éb') && !x.startsWith('aébx')", True),
        ("(x + x).startsWith('aéba') && !(x + x).startsWith('éba') && !(x + x).endsWith('éba')", True),
        ("x.startsWith(x) && x.endsWith(x)", True),
        ("x.matches('^a.b$')", True),
        ("matches(x, 'é')", True),
        ("x.matches('^b')", False),
        (r"x.matches(r'\A\w')", True),
        ("x in ['aéb']", True),
        ("'t1' in tags", True),
        ("'t3' in tags || tags.size() == 2", True),
    ],
)
def test_strings_and_lists(text: str, result: Any) -> None:
    assert value_of(text, x="aéb", tags=("t1", "t2")) == result


def test_half_a_surrogate_pair_is_matched_without_failing() -> None:
    assert value_of("x.matches('^a.b$') && x.size() == 3", x="a\ud800b") is True


def test_a_hostile_pattern_takes_no_time() -> None:
    assert value_of("x.matches('(a*)*b')", x="a" * 10_000) is False


def test_nan_is_in_no_list_not_even_as_the_same_object() -> None:
    scope = {
        "x": Name("x", Type.DOUBLE, "x"),
        "many": Name("many", Type.DOUBLE_LIST, "many"),
    }
    compiled = compile_function("evaluate", ["x", "many"], {"it": check("x in many", scope)})
    assert compiled(nan, (nan,)) == (False,)
    assert compiled(1.0, (nan, 1.0)) == (True,)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("timestamp('1970-01-01T00:00:01Z')", 1_000),
        ("timestamp('1970-01-01T01:00:00.25+01:00')", 250),
        ("timestamp('1969-12-31T23:59:59.999Z')", -1),
        ("duration('1h30m')", 5_400_000),
        ("duration('-1.5s')", -1_500),
        ("duration('0')", 0),
        ("duration('1000us')", 1),
        ("timestamp('2026-03-01T00:00:00Z') - timestamp('2026-02-01T00:00:00Z') == duration('672h')", True),
        ("timestamp('2026-01-01T00:00:00Z') + duration('1m') > timestamp('2026-01-01T00:00:59Z')", True),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1s')", ERROR),
        ("duration('2562047h') + duration('1h')", ERROR),
        ("int(timestamp('1969-12-31T23:59:59.500Z'))", -1),
        ("string(timestamp('2026-01-31T09:30:00.250+01:00'))", "2026-01-31T08:30:00.250Z"),
        ("string(timestamp('0001-01-01T00:00:00Z'))", "0001-01-01T00:00:00Z"),
        ("string(duration('-1h0.25s'))", "-3600.250s"),
        ("duration('1h') in [duration('60m')]", True),
    ],
)
def test_times_are_whole_milliseconds(text: str, result: Any) -> None:
    assert value_of(text) == result


@pytest.mark.parametrize(
    ("place", "km"),
    [
        ((48.8566, 2.3522, 51.5074, -0.1278), 343.6),
        ((0.0, 0.0, 0.0, 180.0), 20_015.1),
        ((0.0, 179.5, 0.0, -179.5), 111.2),
        ((90.0, 0.0, 90.0, 120.0), 0.0),
    ],
)
def test_distance_is_along_the_great_circle(place: tuple[float, ...], km: float) -> None:
    fields = dict(zip(("a", "b", "c", "d"), place, strict=True))
    assert value_of("distance_km(a, b, c, d)", **fields) == pytest.approx(km, abs=0.05)


@pytest.mark.parametrize("latitude", [nan, inf, -inf, 90.5])
def test_no_place_has_no_distance(latitude: float) -> None:
    assert value_of("distance_km(x, 0.0, 0.0, 0.0)", x=latitude) is ERROR
