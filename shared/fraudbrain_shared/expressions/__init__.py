"""CEL, the Common Expression Language, as rules, policies and features use it: typed, total and fast.

`check` turns a text into an `Expression` or says all that is wrong with it; `compile_function` turns checked
expressions into one Python function, `generate_judge` rules and a policy. Nothing here reads a clock or chance, and no
file but the time zones of package `tzdata`.

A value that is missing is UNKNOWN, a computation without a result (overflow, an int divided by zero) is ERROR.
Operators and functions are strict: unknown if any operand is unknown, else an error if any is one. Four are not:

- `&&` and `||`: false && anything is false and true || anything is true, in either order. What is left undecided is
  unknown if any operand is unknown, else an error if any is one.
- `c ? a : b` is unknown or an error as `c` is, and otherwise what the chosen value is.
- `known(x)` is whether x is neither, `or_else(x, default)` is `default` where x is either, `has(event.x)` is
  `known(event.x)`.
- `exists` and `all` are `||` and `&&` over the elements of a list; `exists_one` is strict.

`docs/expressions.md` is the language as its authors see it: types, functions, limits, the cost of an expression, and by
name what differs from the standard (https://github.com/google/cel-spec).
"""

from fraudbrain_shared.expressions.checker import Expression, check
from fraudbrain_shared.expressions.compiler import Generated, bind, compile_function, local_name
from fraudbrain_shared.expressions.judging import Clause, Judge, Names, generate_judge, holds_code
from fraudbrain_shared.expressions.problems import ExpressionErrors, ExpressionProblem
from fraudbrain_shared.expressions.types import Name, Range, Scope, Type
from fraudbrain_shared.expressions.values import ERROR, UNKNOWN, EvaluationError

__all__ = [
    "ERROR",
    "UNKNOWN",
    "Clause",
    "EvaluationError",
    "Expression",
    "ExpressionErrors",
    "ExpressionProblem",
    "Generated",
    "Judge",
    "Name",
    "Names",
    "Range",
    "Scope",
    "Type",
    "bind",
    "check",
    "compile_function",
    "generate_judge",
    "holds_code",
    "local_name",
]
