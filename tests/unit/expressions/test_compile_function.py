import pickle
from typing import Any

import pytest

from fraudbrain_shared.expressions import ERROR, Expression, Name, Type, check, compile_function, local_name
from fraudbrain_shared.expressions.compiler import generated_lines

FIELDS = {"amount": Type.INT, "country": Type.STRING, "flag": Type.BOOL, "rate": Type.DOUBLE}
SURE = {f"event.{x}": Name(f"event.{x}", type_, f"event.{x}") for x, type_ in FIELDS.items()}
OPTIONAL = {path: Name(path, name.type, name.code, may_be_unknown=True) for path, name in SURE.items()}


class Event:
    def __init__(self, **values: Any) -> None:
        self.__dict__ = dict.fromkeys(FIELDS) | values


def source_of(*expressions: Expression) -> str:
    return "\n".join(generated_lines({str(at): each for at, each in enumerate(expressions)})[0])


def test_what_is_never_absent_becomes_plain_python() -> None:
    rules = check("event.amount > 5 && !(event.country == 'x')", SURE), check("event.rate in [1.0]", SURE)
    assert source_of(*rules) == "\n".join(
        (
            "_t1 = event.rate",
            "return (",
            "    (",
            "        (True if ((event.amount > 5) and (not (event.country == 'x'))) else False),",
            "        (_t1 == _t1 and _t1 in {1.0}),",
            "    )",
            ")",
        )
    )


def test_an_optional_name_is_tested_once() -> None:
    (line,) = [line for line in source_of(check("-event.rate * 2.0 > 1.0", OPTIONAL)).splitlines() if "None" in line]
    assert line.strip() == "((True if (((-_t1) * 2.0) > 1.0) else False) if (_t1 := event.rate) is not None else None),"


def test_values_come_in_order_whatever_their_number() -> None:
    for count in (0, 1, 25, 26, 500):
        many = {f"rule {at}": check(f"event.amount + {at}", SURE) for at in range(count)}
        assert compile_function("f", ["event"], many)(Event(amount=7)) == tuple(range(7, 7 + count))


def test_a_later_expression_reads_an_earlier_one() -> None:
    first = check("event.amount * 2", SURE)
    usual = Name("twice", Type.INT, local_name("derived.twice"), may_be_unknown=first.may_be_unknown or first.may_fail)
    found = Name("finding.big", Type.BOOL, f"{local_name('big')} is True")
    expressions = {
        "derived.twice": first,
        "big": check("twice > 10", {"twice": usual}),
        "policy": check("finding.big || !finding.big && event.flag", {"finding.big": found, **SURE}),
    }
    compiled = compile_function("f", ["event"], expressions)
    assert compiled(Event(amount=6, flag=False)) == (12, True, True)
    assert compiled(Event(amount=2**62, flag=False)) == (ERROR, None, False)


def test_local_names_never_meet() -> None:
    keys = ["a.b", "a_b", "a__b", "a_2e_b", "a b", "aéb", "A.b", "", "_", "__"]
    assert len({local_name(key) for key in keys}) == len(keys)
    assert all(local_name(key).isidentifier() for key in keys)


@pytest.mark.parametrize("name", ["_t1", "class", "a b", "x): import os #"])
def test_a_name_that_python_or_we_need_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name"):
        compile_function("f", [name], {})
    with pytest.raises(ValueError, match="cannot name"):
        compile_function(name, [], {})


@pytest.mark.parametrize("scope", [SURE, OPTIONAL], ids=["sure", "optional"])
@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("&&".join(["event.flag"] * 300), True),
        ("||".join(["!event.flag"] * 300), False),
        ("(" * 64 + "event.amount" + ")" * 64, 2),
        ("!" * 62 + "event.flag", True),
        ("-(" * 63 + "event.amount" + ")" * 63, -2),
        ("(event.amount + " * 63 + "1" + ")" * 63, 127),
        ("event.rate / (" * 63 + "event.rate" + ")" * 63, 1.0),
        (" + ".join(["event.amount"] * 64), 128),
        ("event.flag ? 1 : " * 63 + "2", 1),
        ("(event.flag && (event.amount == 1 || " * 31 + "event.flag" + "))" * 31, True),
        ("(event.flag ? or_else(" * 31 + "event.amount" + ", 1) : 2)" * 31, 2),
    ],
    ids=lambda value: str(value)[:24],
)
def test_expressions_at_the_limits_compile(text: str, result: Any, scope: dict[str, Name]) -> None:
    compiled = compile_function("f", ["event"], {"it": check(text, scope)})
    event = Event(amount=2, flag=True, rate=1.0)
    assert compiled(event) == (result,)


def test_error_is_one_even_after_a_journey() -> None:
    assert pickle.loads(pickle.dumps(ERROR)) is ERROR
