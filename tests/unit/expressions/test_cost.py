import pytest

from fraudbrain_shared.expressions import ExpressionErrors, Name, Type, check
from fraudbrain_shared.expressions.cost import MAX_COST

SCOPE = {
    name.path: name
    for name in (
        Name("amount", Type.INT, "amount"),
        Name("word", Type.STRING, "word", max_length=16),
        Name("text", Type.STRING, "text", max_length=1_600),
        Name("letter", Type.STRING, "letter"),
        Name("few", Type.STRING_LIST, "few", max_length=16, max_items=4),
        Name("many", Type.STRING_LIST, "many", max_length=16, max_items=400),
    )
}


def cost(text: str) -> int:
    return check(text, SCOPE).cost


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("true", 0),
        ("amount", 1),
        ("amount > 5", 2),
        ("amount > 5 && amount < 9", 6),
        ("amount > 5 ? amount : amount + 1", 5),
        ("few.exists(x, x == 'a')", 14),
    ],
)
def test_a_unit_is_a_comparison_or_a_read(text: str, units: int) -> None:
    assert cost(text) == units


def test_longer_texts_and_lists_cost_more() -> None:
    assert cost("word.contains('a')") < cost("text.contains('a')")
    assert cost("word.matches('a.*b')") < cost("text.matches('a.*b')") < cost("text.matches('a.{50}b')")
    assert cost("(text + text).contains('a')") > cost("text.contains('a')")
    assert cost("few.exists(x, x == 'a')") < cost("many.exists(x, x == 'a')")
    assert cost("'a' in few") < cost("'a' in many")
    assert cost("few.exists(x, few.exists(y, x == y))") > 4 * cost("few.exists(y, y == y)")


def test_what_costs_too_much_is_refused_with_both_numbers() -> None:
    with pytest.raises(ExpressionErrors) as caught:
        check("many.exists(x, many.exists(y, x == y))", SCOPE)
    assert "this may cost 322,806 units on one event; 10,000 are allowed" in str(caught.value)
    assert "declare max_length and max_items" in str(caught.value)
    assert cost("letter.matches('a')") < MAX_COST


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("true", 1),
        ("amount > 5", 3),
        ("amount in [1, 2, 3]", 3),
        ("has(a.b) && a.b == 1", 6),
        ("few.exists(x, x == 'a')", 5),
        ("amount + amount + amount > -1", 7),
    ],
)
def test_nodes_are_what_the_author_wrote(text: str, nodes: int) -> None:
    scope = {**SCOPE, "a.b": Name("a.b", Type.INT, "a")}
    assert check(text, scope).nodes == nodes
