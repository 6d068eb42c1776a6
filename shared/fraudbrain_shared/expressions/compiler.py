"""From checked expressions to one generated Python function.

The code comes from the checked tree, the closed table of operators and the names' own `code`; no author's text
reaches it but as a quoted constant.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from keyword import iskeyword
from types import CodeType
from typing import Any, NamedTuple

from fraudbrain_shared.expressions.checker import Expression
from fraudbrain_shared.expressions.functions import CALLED
from fraudbrain_shared.expressions.patterns import Pattern, pattern_of
from fraudbrain_shared.expressions.time_zones import Zone, zone_named
from fraudbrain_shared.expressions.writer import Writer


class Generated(NamedTuple):
    """A generated function before it is bound to a process. `marshal` takes it to another one, as a plain tuple, if it
    takes the `values`.

    `patterns`, `zones` and `values` are the constants, by the names under which the code knows them: a regular
    expression's text, a time zone's name, and what needs no making.
    """

    name: str
    code: CodeType
    patterns: dict[str, str]
    zones: dict[str, str]
    values: dict[str, object]


def compile_function(
    name: str, arguments: Sequence[str], expressions: Mapping[str, Expression], *, errors_unknown: bool = False
) -> Callable[..., tuple[Any, ...]]:
    """One Python function that takes `arguments` and returns the value of each expression, in order.

    A value is of the expression's type, or UNKNOWN or ERROR where the expression says it may be; with
    `errors_unknown` it is UNKNOWN instead of ERROR. The function raises for no arguments that keep the promises of the
    names. A later expression reads an earlier one by a name whose `code` holds `local_name(key)`; an error is unknown
    to it.
    ValueError if `name` or an argument is no Python name or begins with an underscore.
    """
    lines, constants = generated_lines(expressions, errors_unknown=errors_unknown)
    return function_of(name, arguments, lines, constants)


def function_of(
    name: str, arguments: Sequence[str], lines: Iterable[str], constants: Mapping[str, object]
) -> Callable[..., Any]:
    """The function with these lines, which know the table of operators and the constants by name.

    ValueError if `name` or an argument is no Python name or begins with an underscore.
    """
    return bind(generate(name, arguments, lines, constants))


def generate(name: str, arguments: Sequence[str], lines: Iterable[str], constants: Mapping[str, object]) -> Generated:
    """The same as code: all of the work but for what `bind` does in no time."""
    for each in (name, *arguments):
        if not each.isidentifier() or iskeyword(each) or each.startswith("_"):
            raise ValueError(f"{each!r} cannot name a function or an argument")
    source = "\n".join([f"def {name}({', '.join(arguments)}):", *(f"    {line}" for line in lines)])
    return Generated(
        name,
        compile(source, f"<generated {name}>", "exec"),
        {variable: each.text for variable, each in constants.items() if isinstance(each, Pattern)},
        {variable: each.name for variable, each in constants.items() if isinstance(each, Zone)},
        {variable: each for variable, each in constants.items() if not isinstance(each, Pattern | Zone)},
    )


def bind(generated: Generated) -> Callable[..., Any]:
    """The function itself."""
    patterns = {variable: pattern_of(text) for variable, text in generated.patterns.items()}
    zones = {variable: zone_named(name) for variable, name in generated.zones.items()}
    namespace: dict[str, Any] = {"__builtins__": {}, **CALLED, **patterns, **zones, **generated.values}
    exec(generated.code, namespace)  # noqa: S102 (our own text, built below)
    function: Callable[..., Any] = namespace[generated.name]
    return function


def local_name(key: str) -> str:
    """The variable that holds the value of the expression `key` inside the generated function."""
    return "_v_" + "".join(_safe(char) for char in key)


def _safe(char: str) -> str:
    """`char` such that different keys never meet in one Python name."""
    if char == "_":
        return "__"
    return char if char.isascii() and char.isalnum() else f"_{ord(char):x}_"


def generated_lines(
    expressions: Mapping[str, Expression], *, errors_unknown: bool = False
) -> tuple[Sequence[str], Mapping[str, object]]:
    """The lines of the function, and the constants that it knows by name."""
    trees = [expression.tree for expression in expressions.values()]
    writer = Writer(trees)
    words = writer.words
    results = [
        writer.result(expression.tree, local_name(key), is_read=local_name(key) in words, errors_unknown=errors_unknown)
        for key, expression in expressions.items()
    ]
    return [*writer.statements, *returned(results)], writer.constants


def returned(results: Sequence[str]) -> Iterator[str]:
    """A statement that returns all results.

    CPython builds a tuple of more than 30 by way of a list. Joining shorter ones takes a fifth less, until too much is
    copied again.
    """
    per_tuple = 25 if len(results) <= 125 else len(results)
    yield "return ("
    for start in range(0, len(results), per_tuple or 1):
        yield f"    {'+ ' if start else ''}("
        yield from (f"        {result}," for result in results[start : start + per_tuple])
        yield "    )"
    yield ")"
