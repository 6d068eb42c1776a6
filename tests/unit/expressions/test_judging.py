"""What rules and policy say together, against each condition evaluated alone."""

from types import SimpleNamespace

import pytest
from hypothesis import given, strategies as st

from fraudbrain_shared.expressions import (
    ERROR,
    Clause,
    Name,
    Type,
    bind,
    check,
    compile_function,
    generate_judge,
    holds_code,
)

FIELDS = {
    "sure": Name("event.sure", Type.BOOL, "event.sure"),
    "maybe": Name("event.maybe", Type.BOOL, "event.maybe", may_be_unknown=True),
    "number": Name("event.number", Type.INT, "event.number"),
    "items": Name("event.items", Type.INT_LIST, "event.items"),
}
SCOPE = {name.path: name for name in FIELDS.values()}
RULES = {
    "plain": "event.sure && event.number > 3",
    "unsure": "event.maybe || event.sure",
    "failing": "10 / event.number > 2",
    "both": "event.maybe && 10 / event.number > 2",
    "turned": "event.items.exists(each, 10 / each > event.number)",
    "same": "event.sure && event.number > 3",
}
SCORE = {"score": Name("score", Type.DOUBLE, "score", may_be_unknown=True)}
FINDINGS = {f"finding.{rule}": Name(f"finding.{rule}", Type.BOOL, holds_code(rule)) for rule in RULES}
CLAUSES = ("finding.plain && finding.both", "score > 0.5", "finding.failing && event.maybe", "event.number / 3 == 1")
CHECKED = {rule: check(text, SCOPE, Type.BOOL) for rule, text in RULES.items()}
CHECKED_CLAUSES = [check(text, {**SCOPE, **SCORE, **FINDINGS}, Type.BOOL) for text in CLAUSES]
JUDGE = bind(
    generate_judge(
        "judge",
        ("event", "score"),
        CHECKED,
        [
            Clause(each, f"holds {place}", f"undecided {place}", needs="score" if place == 1 else None)
            for place, each in enumerate(CHECKED_CLAUSES)
        ],
        "otherwise",
    )
)
# Each alone: the names of the findings read a tuple of what the rules were.
ALONE = compile_function("rules", ("event",), CHECKED)
FOUND = {f"finding.{rule}": Name(f"finding.{rule}", Type.BOOL, f"finding[{place}]") for place, rule in enumerate(RULES)}
CLAUSES_ALONE = compile_function(
    "clauses",
    ("event", "score", "finding"),
    {text: check(text, {**SCOPE, **SCORE, **FOUND}, Type.BOOL) for text in CLAUSES},
)


@given(
    sure=st.booleans(),
    maybe=st.none() | st.booleans(),
    number=st.integers(-1, 6),
    items=st.lists(st.integers(-2, 5), max_size=3).map(tuple),
    score=st.none() | st.floats(0, 1),
)
def test_each_rule_says_what_it_says_alone_and_the_first_clause_that_cannot_be_passed_over_answers(
    sure: bool, maybe: bool | None, number: int, items: tuple[int, ...], score: float | None
) -> None:
    event = SimpleNamespace(sure=sure, maybe=maybe, number=number, items=items)
    values = dict(zip(RULES, ALONE(event), strict=True))
    answer, *gathered = JUDGE(event, score)
    for names, wanted in zip(gathered, (True, None, ERROR), strict=True):
        assert names == tuple(rule for rule, value in values.items() if value is wanted)
    clauses = CLAUSES_ALONE(event, score, tuple(value is True for value in values.values()))
    reached = (
        f"{'holds' if value is True else 'undecided'} {place}"
        for place, value in enumerate(clauses)
        if value is not False and not (place == 1 and value is None and score is None)
    )
    assert answer == next(reached, "otherwise")


def test_without_rules_and_clauses_the_answer_is_the_other_one() -> None:
    assert bind(generate_judge("judge", (), {}, [], "approve"))() == ("approve", (), (), ())


@pytest.mark.parametrize("name", ["_holding", "class", "a b"])
def test_only_a_python_name_can_be_an_argument(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a function or an argument"):
        generate_judge("judge", [name], {}, [], None)
