"""The standard's own conformance cases, as far as they lie in our subset; of the rest, that they are refused."""

import json
from typing import Any

import pytest

from fraudbrain_shared.expressions import ERROR, ExpressionErrors, Name, Type, check, compile_function
from tests.parity.expressions.convert_cel_spec import CASES

SPEC: dict[str, Any] = json.loads(CASES.read_text())
Case = dict[str, Any]


def answer(case: Case) -> tuple[str, Any] | None:
    """The type and the value of a case's expression; None where it is refused, or has no value."""
    bindings = {name: typed_value(value) for name, value in case.get("bindings", {}).items()}
    types = {name: type_ for name, (type_, _) in bindings.items()} | case.get("types", {})
    scope = {
        name: Name(name, Type(type_), f"values[{place}]", may_be_unknown=name not in bindings)
        for place, (name, type_) in enumerate(types.items())
    }
    try:
        expression = check(case["expr"], scope)
    except ExpressionErrors:
        return None
    values = [bindings[name][1] if name in bindings else None for name in types]
    (value,) = compile_function("evaluate", ["values"], {"it": expression})(values)
    return None if value is ERROR or value is None else (expression.type.value, value)


def typed_value(written: dict[str, Any]) -> tuple[str, Any]:
    ((type_, value),) = written.items()
    match type_:
        case "double":
            return type_, float(value)
        case "list of double":
            return type_, tuple(map(float, value))
        case _:
            return type_, tuple(value) if isinstance(value, list) else value


@pytest.mark.parametrize("case", SPEC["inside"], ids=lambda case: case["name"])
def test_a_case_in_the_subset_has_the_answer_of_the_standard(case: Case) -> None:
    wanted = typed_value(case["value"]) if "value" in case else None
    assert repr(answer(case)) == repr(wanted)


@pytest.mark.parametrize("case", SPEC["outside"], ids=lambda case: case["name"])
def test_a_case_outside_of_the_subset_is_refused_or_right(case: Case) -> None:
    found = answer(case)
    assert found is None or found == typed_value(case["value"])
