import sys
import time
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from fraudbrain_shared.expressions import ExpressionErrors, Name, Type, check, compile_function
from tests.unit.expressions.evaluation import value_of
from tests.unit.expressions.hostile_texts import attack

FIELDS = {"amount": 5, "country": "DE", "flag": True, "rate": 0.5, "tags": ("a", "b")}
SCOPE = {
    f"event.{x}": Name(f"event.{x}", type_, f"event[{x!r}]", may_be_unknown=x == "country")
    for x, type_ in zip(FIELDS, (Type.INT, Type.STRING, Type.BOOL, Type.DOUBLE, Type.STRING_LIST), strict=True)
}
REFUSED = {
    "empty": "",
    "blank": " \n\t",
    "too long": "1" + " + 1" * 300_000,
    "a literal of 1 MB": "'" + "a" * 1_000_000 + "'",
    "parentheses": "(" * 65 + "1" + ")" * 65,
    "open parentheses": "(" * 4_000,
    "closing parentheses": ")" * 4_000,
    "brackets": "[" * 4_000,
    "nots": "!" * 4_000 + "true",
    "minuses": "- " * 2_000 + "event.amount",
    "choices": "true ? 1 : " * 360 + "1",
    "choices in choices": "true ? " * 500 + "1" + " : 1" * 400,
    "calls": "int(" * 1_000 + "1" + ")" * 1_000,
    "methods": "'a'" + ".size()" * 500,
    "fields": "event" + ".amount" * 500,
    "a long sum": "+".join(["1"] * 2_000),
    "a long chain": "&&".join(["true"] * 600 + ["1<2"] * 200),
    "power": "9**9",
    "a huge int": "9" * 4_000,
    "a huge hexadecimal": "0x" + "f" * 4_000,
    "a huge double": "1e999",
    "a dunder field": "event.__class__",
    "a dunder method": "event.__class__.__mro__()",
    "a dunder name": "__import__('os')",
    "a local of the generated function": "_t1",
    "a name of the namespace": "ERROR",
    "a python expression": "(lambda: 1)()",
    "a format field": "event.{0}",
    "an operator as a method": "event.amount.in([1])",
    "statements": "true\nimport os",
    "a bad regex": "event.country.matches('a(?=b)')",
    "a long regex": f"event.country.matches('{'a' * 257}')",
    "a regex that explodes": "event.country.matches('((a{100}){100}){100}')",
    "NUL": "event.amount > 5\0",
    "half a surrogate pair": "event.country == '\ud800'",
    "half a surrogate pair outside": "\udfff",
    "an escaped surrogate": r"event.country == '\ud800'",
    "beyond Unicode": r"event.country == '\U00110000'",
    "digits of another script": "١ + ١",
    "letters of another script": "еvent.amount > 5",  # the first letter is Cyrillic
    "a no-break space": "event.amount >\u00a05",
    "a line in a string": "'a\nb'",
    "many unknown names": " && ".join(f"event.amount_{n}" for n in range(180)),
    "a long list": f"1 in [{','.join(['1'] * 1_001)}]",
    "a list in lists": "1 in " + "[" * 60 + "1" + "]" * 60,
    "bytes": "b'abc' == b'abc'",
    "a map": "{'a': 1}",
    "a message": "Event{amount: 1}",
    "macros in macros": "[1].exists(x, " * 9 + "true" + ")" * 9,
    "macros that multiply": "event.tags.all(x, event.tags.all(y, event.tags.all(z, x != y || y != z)))",
    "a field of an element": "event.tags.exists(x, x.__class__ == 'a')",
    "a name that an element hides": "event.tags.exists(event, event.amount > 1)",
    "an element outside of its macro": "event.tags.exists(x, x == 'a') && x == 'b'",
    "an element that is no name": "event.tags.exists(true, true)",
    "a time zone that is a path": "timestamp(0).getHours('../../../etc/passwd')",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_a_hostile_text_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(ExpressionErrors) as caught:
        check(text, SCOPE)
    assert time.process_time() - started < 1
    assert 1 <= len(caught.value.problems) <= 20
    assert all(0 <= problem.offset <= len(text) for problem in caught.value.problems)
    assert len(str(caught.value)) < 10_000


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("'a\0b'.size()", 3),
        (r"'\000\x41\u00e9\101'", "\0AéA"),
        ("'{0} {x} %s \\\\ \\' \\\"'", "{0} {x} %s \\ ' \""),
        (r"r'\d{0}'", r"\d{0}"),
        ("'''it's'''", "it's"),
        ('"""a\nb"""', "a\nb"),
        (f"1 in [{','.join(['0'] * 999)},1]", True),
        ("'\u2028\u202e'.size()", 2),
        ("'); import os #' == 'x'", False),
    ],
)
def test_a_strange_text_is_evaluated(text: str, result: Any) -> None:
    assert value_of(text) == result


def test_the_checker_needs_little_of_the_stack() -> None:
    nested = "(event.flag || event.amount == 1 + 2 * (3 - " * 9 + "4" + "))" * 9
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(850)
        for text in (
            "((int(" * 60 + "1" + ")))" * 60,
            "(" * 63 + "1" + ")" * 63,
            "int(" * 63 + "1" + ")" * 63,
            nested,
            "(" * 4_000,
        ):
            try:
                check(text, SCOPE)
            except ExpressionErrors:
                continue
    finally:
        sys.setrecursionlimit(limit)


def test_hostile_texts_are_refused_or_evaluated_within_their_cost() -> None:
    start = Random().randrange(2**32)
    print(f"seeds from {start}")  # shown if it fails
    outcome = attack([*range(1_000), *range(start, start + 300)])
    assert outcome.refused > 500
    assert outcome.evaluated > 100


SYMBOLS = (*".()[],?:!-+*/%<{\\'\0\ud800", "&&", "||", "==", ">=", "in")
CALLS = ("size(", "int(", "has(", ".matches(", "known(", "or_else(", "timestamp(", "duration(")
VALUES = ("event", "1", "9223372036854775808", "1.5", "'x'", "true", "'1h'", "'('", "__class__", " ")
PIECES = st.sampled_from((*SCOPE, *SYMBOLS, *CALLS, *VALUES))


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=25).map("".join) | st.text(max_size=60))
def test_any_text_is_refused_or_evaluated(text: str) -> None:
    try:
        expression = check(text, SCOPE)
    except ExpressionErrors as errors:
        assert str(errors)
    else:
        compile_function("evaluate", ["event"], {"it": expression})(FIELDS)
