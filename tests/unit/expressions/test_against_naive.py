import os
from collections.abc import Iterator
from random import Random

from fraudbrain_shared.expressions import ExpressionErrors, Type, check, compile_function
from tests.unit.expressions.evaluation import assert_admitted
from tests.unit.expressions.naive import evaluate
from tests.unit.expressions.random_trees import SCALARS, SCOPE, random_event, random_tree
from tests.unit.expressions.trees import text_of

EXAMPLES = int(os.environ.get("EXPRESSION_EXAMPLES", "1000"))


def seeds(count: int) -> Iterator[int]:
    """Half of them always the same, half fresh; a failing test shows its seed."""
    yield from range(count // 2)
    fresh = Random()
    yield from (fresh.randrange(2**32) for _ in range(count // 2))


def test_compiled_gives_what_the_naive_evaluator_gives() -> None:
    for seed in seeds(EXAMPLES):
        random = Random(seed)
        tree = random_tree(random, random.choice(SCALARS), 4)
        expression = check(text_of(tree), SCOPE, tree.type)
        compiled = compile_function("evaluate", ["event"], {"it": expression})
        for _ in range(3):
            event = random_event(random)
            (value,) = compiled(event)
            assert repr(value) == repr(evaluate(tree, event)), (seed, expression.text, event)
            assert_admitted(expression, value)


def test_many_expressions_in_one_function_give_what_each_gives_alone() -> None:
    for seed in seeds(EXAMPLES // 20):
        random = Random(seed)
        different = [random_tree(random, Type.BOOL, 3) for _ in range(random.randint(2, 15))]
        many = random.choices(different, k=20)  # equal ones, too
        expressions = {f"rule {number}": check(text_of(tree), SCOPE) for number, tree in enumerate(many)}
        compiled = compile_function("evaluate", ["event"], expressions)
        event = random_event(random)
        assert list(compiled(event)) == [evaluate(tree, event) for tree in many], seed


def test_no_expression_costs_less_than_its_parts() -> None:
    for seed in seeds(EXAMPLES // 20):
        random = Random(seed)
        tree = random_tree(random, Type.BOOL, 3, own=False)
        try:
            whole = check(text_of(tree), SCOPE)
        except ExpressionErrors:
            continue
        for part in tree.operands:
            if not any(each in text_of(part) for each in ("x0", "x1", "x2")):
                assert check(text_of(part), SCOPE).cost <= whole.cost, (seed, whole.text)
