import os
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st

from fraudbrain_shared.expressions import Type, check, compile_function
from tests.unit.expressions.evaluation import assert_admitted
from tests.unit.expressions.naive import EVENTS, SCALARS, SCOPE, Tree, evaluate, text_of, trees

EXAMPLES = int(os.environ.get("EXPRESSION_EXAMPLES", "500"))


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(st.sampled_from(SCALARS).flatmap(lambda type_: trees(type_, 4)), st.lists(EVENTS, min_size=3, max_size=3))
def test_compiled_gives_what_the_naive_evaluator_gives(tree: Tree, events: list[dict[str, Any]]) -> None:
    expression = check(text_of(tree), SCOPE, tree.type)
    compiled = compile_function("evaluate", ["event"], {"it": expression})
    for event in events:
        (value,) = compiled(event)
        assert repr(value) == repr(evaluate(tree, event)), (expression.text, event)
        assert_admitted(expression, value)


@settings(max_examples=EXAMPLES // 20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(trees(Type.BOOL, 3), min_size=2, max_size=30), EVENTS)
def test_many_expressions_in_one_function_give_what_each_gives_alone(many: list[Tree], event: dict[str, Any]) -> None:
    expressions = {f"rule {number}": check(text_of(tree), SCOPE) for number, tree in enumerate(many)}
    values = compile_function("evaluate", ["event"], expressions)(event)
    assert list(values) == [evaluate(tree, event) for tree in many]
