from itertools import product
from typing import Any

import pytest

from fraudbrain_shared.expressions import ERROR, Name, Type, check, compile_function
from tests.unit.expressions.evaluation import value_of

T, F, U, E = True, False, None, ERROR

AND = {
    (T, T): T, (T, F): F, (T, U): U, (T, E): E,
    (F, T): F, (F, F): F, (F, U): F, (F, E): F,
    (U, T): U, (U, F): F, (U, U): U, (U, E): U,
    (E, T): E, (E, F): F, (E, U): U, (E, E): E,
}  # fmt: skip
OR = {
    (T, T): T, (T, F): T, (T, U): T, (T, E): T,
    (F, T): T, (F, F): F, (F, U): U, (F, E): E,
    (U, T): T, (U, F): U, (U, U): U, (U, E): U,
    (E, T): T, (E, F): E, (E, U): U, (E, E): E,
}  # fmt: skip
# Three ways to write each: as a sure name, as a name that may be unknown, as a computation that may fail.
WRITTEN = {
    T: ("yes", "maybe_yes", "one / one == 1"),
    F: ("no", "maybe_no", "one / one == 2"),
    U: ("missing",),
    E: ("one / zero == 1",),
}
FIELDS = {"yes": True, "no": False, "one": 1, "zero": 0, "maybe_yes": True, "maybe_no": False, "missing": None}
SCOPE = {
    field: Name(field, Type.INT if field in ("one", "zero") else Type.BOOL, field, field.startswith(("maybe", "miss")))
    for field in FIELDS
}


def logical_value(text: str) -> Any:
    function = compile_function("evaluate", list(FIELDS), {"it": check(text, SCOPE)})
    return function(**FIELDS)[0]


@pytest.mark.parametrize(("operator", "table"), [("&&", AND), ("||", OR)])
def test_truth_table(operator: str, table: dict[tuple[Any, Any], Any]) -> None:
    assert len(table) == 16
    for (a, b), result in table.items():
        for left, right in product(WRITTEN[a], WRITTEN[b]):
            assert logical_value(f"{left} {operator} {right}") is result, (left, right)


@pytest.mark.parametrize(("operator", "table"), [("&&", AND), ("||", OR)])
def test_a_chain_of_three_is_two_of_two(operator: str, table: dict[tuple[Any, Any], Any]) -> None:
    for a, b, c in product((T, F, U, E), repeat=3):
        expected = table[table[a, b], c]
        assert expected is table[a, table[b, c]]
        for chain in product(WRITTEN[a], WRITTEN[b], WRITTEN[c]):
            assert logical_value(f" {operator} ".join(chain)) is expected, chain


@pytest.mark.parametrize(("value", "result"), [(T, F), (F, T), (U, U), (E, E)])
def test_not(value: Any, result: Any) -> None:
    assert [logical_value(f"!({each})") for each in WRITTEN[value]] == [result] * len(WRITTEN[value])


@pytest.mark.parametrize(("condition", "result"), [(T, 1), (F, 2), (U, U), (E, E)])
def test_a_choice_is_as_unknown_or_wrong_as_its_condition(condition: Any, result: Any) -> None:
    for each in WRITTEN[condition]:
        assert logical_value(f"{each} ? 1 : 2") == result


def test_a_choice_does_not_care_for_what_it_does_not_choose() -> None:
    assert logical_value("yes ? 1 : one / zero") == 1
    assert logical_value("no ? 1 : one / zero") is ERROR
    assert logical_value("yes ? missing : no") is None


def test_known_and_or_else_always_answer() -> None:
    assert logical_value("known(yes) && known(maybe_no)") is True
    assert logical_value("known(missing) || known(one / zero) || known(missing && one / zero == 1)") is False
    assert logical_value("or_else(missing, true)") is True
    assert logical_value("or_else(one / zero, 7)") == 7
    assert logical_value("or_else(maybe_no, true)") is False
    assert logical_value("or_else(missing, one / zero == 1)") is ERROR
    assert logical_value("or_else(yes || missing, false)") is True


def test_has_is_whether_the_field_is_present() -> None:
    scope = {f"event.{x}": Name(f"event.{x}", Type.INT, f"event[{x!r}]", may_be_unknown=x == "b") for x in "ab"}
    expression = check("has(event.b) && has(event.a)", scope)
    assert not expression.may_be_unknown
    compiled = compile_function("evaluate", ["event"], {"it": expression})
    assert compiled({"a": 1, "b": 0}) == (True,)
    assert compiled({"a": 1, "b": None}) == (False,)


def test_error_is_no_truth_value() -> None:
    with pytest.raises(TypeError):
        bool(ERROR)
    assert value_of("x / 0 == 1", x=1) is ERROR
