"""Rules, and what follows from them, as one generated Python function.

Nearly all rules neither hold nor lack a value, so that a rule costs its condition and a jump.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from fraudbrain_shared.expressions.checker import Expression
from fraudbrain_shared.expressions.compiler import Generated, generate, local_name
from fraudbrain_shared.expressions.writer import Writer

Names: TypeAlias = tuple[str, ...]
Judge: TypeAlias = Callable[..., tuple[Any, Names, Names, Names]]
"""The answer, and the rules that hold, that are unknown, and that are in error, each in order."""

_HOLDING, _UNKNOWN, _FAILED = "_holding", "_unknown", "_failed"
_GATHERED: Final = (_HOLDING, _UNKNOWN, _FAILED)


class Clause(NamedTuple):
    """A condition with the answer where it holds, and that where it has no value: then the clause is passed over if
    the argument that it `needs` is None."""

    condition: Expression
    holds: object
    undecided: object
    needs: str | None = None


def holds_code(rule: str) -> str:
    """How a clause reads that a rule holds; where it has no value it does not."""
    return f"{local_name(rule)} is True"


def generate_judge(
    name: str, arguments: Sequence[str], rules: Mapping[str, Expression], clauses: Sequence[Clause], otherwise: object
) -> Generated:
    """A `Judge` of `arguments`, as code: it evaluates all rules and gives the answer of the first clause that holds or
    has no value, or else `otherwise`. Clauses read rules by `holds_code`.

    ValueError if `name` or an argument is no Python name or begins with an underscore.
    """
    trees = [each.tree for each in (*rules.values(), *(clause.condition for clause in clauses))]
    writer = Writer(trees)
    words = writer.words
    found = [
        line for rule, each in rules.items() for line in _rule_lines(writer, rule, each, local_name(rule) in words)
    ]
    ahead = list(writer.statements)
    chosen = [line for place, clause in enumerate(clauses) for line in _clause_lines(writer, place, clause)]
    answers = {f"_holds{place}": clause.holds for place, clause in enumerate(clauses)}
    answers |= {f"_undecided{place}": clause.undecided for place, clause in enumerate(clauses)}
    lines = [
        *ahead,
        f"{' = '.join(_GATHERED)} = ()",
        *found,
        *writer.statements[len(ahead) :],
        *chosen,
        _returned("_otherwise"),
    ]
    return generate(name, arguments, lines, {**writer.constants, **answers, "_otherwise": otherwise})


def _rule_lines(writer: Writer, rule: str, expression: Expression, is_read: bool) -> Iterator[str]:
    tree, local, noted = expression.tree, local_name(rule), f" += ({writer.constant(rule)},)"
    if tree.is_sure:
        condition = writer.condition(tree)
        if is_read:
            yield f"{local} = {condition.plain}"
        yield f"if {local if is_read else condition.value}:"
        yield f"    {_HOLDING}{noted}"
        return
    yield f"{local} = {writer.code(tree)}"
    yield f"if {local} is not False:"
    yield f"    if {local} is True: {_HOLDING}{noted}"
    if tree.may_be_unknown:
        yield f"    elif {local} is None: {_UNKNOWN}{noted}"
    if tree.may_fail:
        yield f"    elif {local} is ERROR: {_FAILED}{noted}"


def _clause_lines(writer: Writer, place: int, clause: Clause) -> Iterator[str]:
    tree, holds = clause.condition.tree, _returned(f"_holds{place}")
    if tree.is_sure:
        yield f"if {writer.condition(tree).value}:"
        yield f"    {holds}"
        return
    value = writer.temporary()
    yield f"{value} = {writer.code(tree)}"
    yield f"if {value} is True:"
    yield f"    {holds}"
    yield f"if {value} is not False{f' and {clause.needs} is not None' if clause.needs else ''}:"
    yield f"    {_returned(f'_undecided{place}')}"


def _returned(answer: str) -> str:
    return f"return {answer}, {', '.join(_GATHERED)}"
