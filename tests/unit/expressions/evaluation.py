"""Evaluate a text in one line, over fields whose types follow from their values."""

from typing import Any

from fraudbrain_shared.expressions import ERROR, Expression, Name, Scope, Type, check, compile_function

MIN, MAX = -(2**63), 2**63 - 1
TYPES = {bool: Type.BOOL, int: Type.INT, float: Type.DOUBLE, str: Type.STRING, tuple: Type.STRING_LIST}


def scope_of(fields: dict[str, Any]) -> Scope:
    """Names for `fields`; one that is given as a type is an optional field without a value."""
    return {
        field: Name(
            path=field,
            type=TYPES[value if isinstance(value, type) else type(value)],
            code=f"event[{position}]",
            may_be_unknown=isinstance(value, type),
            max_length=100,
            max_items=8,
        )
        for position, (field, value) in enumerate(fields.items())
    }


def value_of(text: str, **fields: Any) -> Any:
    """The value of `text`; it must be one that the checked expression admits."""
    expression = check(text, scope_of(fields))
    event = [None if isinstance(value, type) else value for value in fields.values()]
    (value,) = compile_function("evaluate", ["event"], {"it": expression})(event)
    assert_admitted(expression, value)
    return value


def assert_admitted(expression: Expression, value: Any) -> None:
    if value is None:
        assert expression.may_be_unknown
    elif value is ERROR:
        assert expression.may_fail
    else:
        python_types = {Type.BOOL: bool, Type.DOUBLE: float, Type.STRING: str}
        assert type(value) is python_types.get(expression.type, int)
