from itertools import product
from typing import Any

import pytest

from fraudbrain_shared.expressions import ERROR, ExpressionErrors, Name, Type, check, compile_function
from tests.unit.expressions.evaluation import value_of
from tests.unit.expressions.test_three_valued_logic import AND, OR, E, F, T, U

# Elements for which the condition below is true, false, unknown and an error.
ELEMENTS = {T: 1, F: 2, U: 3, E: 0}
CONDITION = "x == 3 ? missing : 6 / x == 6"
SCOPE = {"items": Name("items", Type.INT_LIST, "items"), "missing": Name("missing", Type.BOOL, "None", True)}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("tags.exists(x, x == 'b')", True),
        ("tags.exists(x, x == 'z')", False),
        ("tags.all(x, size(x) == 1)", True),
        ("tags.all(x, x == 'a')", False),
        ("tags.exists_one(x, x == 'a')", True),
        ("tags.exists_one(x, size(x) == 1)", False),
        ("none.exists(x, true)", False),
        ("none.all(x, false)", True),
        ("none.exists_one(x, true)", False),
        ("'a' in none || size(none) == 0", True),
        ("tags.exists(x, tags.exists(y, x != y))", True),
        ("tags.exists(x, tags.exists(x, x == 'a') && x == 'b')", True),
        ("[1, 2, 3].all(x, x > 0) && ![1, 2, 3].exists(x, x > 3)", True),
        ("['EU', 'UK'].exists(region, country.startsWith(region))", True),
        ("[timestamp('1970-01-01T00:00:05Z')].exists(x, x.getSeconds() == 5)", True),
        ("missing.exists(x, x == 'a')", None),
        ("known(missing.all(x, true))", False),
        ("missing.exists_one(x, true) || true", True),
        ("(tags.size() > 1 ? tags : none).exists(x, x == 'b')", True),
    ],
)
def test_macros_over_lists(text: str, result: Any) -> None:
    assert value_of(text, tags=("a", "b"), none=(), missing=tuple, country="UK-1") is result


@pytest.mark.parametrize(("macro", "table", "of_none"), [("exists", OR, False), ("all", AND, True)])
def test_a_macro_is_a_chain_of_its_conditions(macro: str, table: dict[tuple[Any, Any], Any], of_none: bool) -> None:
    function = compile_function("f", ["items"], {"it": check(f"items.{macro}(x, {CONDITION})", SCOPE)})
    assert function(()) == (of_none,)
    for length in (1, 2, 3):
        for answers in product((T, F, U, E), repeat=length):
            expected: Any = of_none
            for each in answers:
                expected = table[expected, each]
            assert function([ELEMENTS[each] for each in answers]) == (expected,)


def test_exists_one_is_strict() -> None:
    function = compile_function("f", ["items"], {"it": check(f"items.exists_one(x, {CONDITION})", SCOPE)})
    for answers in product((T, F, U, E), repeat=3):
        expected = U if U in answers else E if E in answers else answers.count(T) == 1
        assert function([ELEMENTS[each] for each in answers]) == (expected,)


def test_an_element_hides_a_name_and_only_in_its_macro() -> None:
    assert value_of("[5].exists(x, x == 5) && x == 1", x=1) is True
    with pytest.raises(ExpressionErrors, match="no fields"):
        check("items.exists(event, event.amount > 1)", SCOPE)


def test_what_does_not_read_the_element_is_computed_once() -> None:
    scope = {**SCOPE, "text": Name("text", Type.STRING, "text.read()")}
    text = Text("cab")
    expression = check("items.all(x, x > size(text) || text.contains('a'))", scope)
    function = compile_function("f", ["items", "text"], {"it": expression})
    assert function((1, 2, 3), text) == (True,)
    assert text.times_read == 1


class Text:
    def __init__(self, text: str) -> None:
        self.text = text
        self.times_read = 0

    def read(self) -> str:
        self.times_read += 1
        return self.text


@pytest.mark.parametrize(
    "text", ["items.exists(x)", "items.all(x, x)", "missing.all(x, x)", "items.exists(1, true)", "[].exists(x, true)"]
)
def test_a_wrong_macro_is_refused(text: str) -> None:
    with pytest.raises(ExpressionErrors):
        check(text, SCOPE)


def test_an_error_in_a_macro_is_one_of_that_rule_only() -> None:
    rules = {"bad": check("items.all(x, 1 / x == 1)", SCOPE), "good": check("items.exists(x, x == 0)", SCOPE)}
    assert compile_function("f", ["items"], rules)((0, 1)) == (ERROR, True)
