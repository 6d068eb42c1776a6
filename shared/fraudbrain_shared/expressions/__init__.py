"""CEL, the Common Expression Language, as rules, policies and features use it: typed, total and fast.

`check` turns a text into an `Expression` or says all that is wrong with it; `compile_function` turns checked
expressions into one Python function. Nothing here reads a file, a clock or chance.

A value that is missing is UNKNOWN, a computation without a result (overflow, an int divided by zero) is ERROR.
Operators and functions are strict: unknown if any operand is unknown, else an error if any is one. Three are not:

- `&&` and `||`: false && anything is false and true || anything is true, in either order. What is left undecided is
  unknown if any operand is unknown, else an error if any is one.
- `c ? a : b` is unknown or an error as `c` is, and otherwise what the chosen value is.
- `known(x)` is whether x is neither, `or_else(x, default)` is `default` where x is either, `has(event.x)` is
  `known(event.x)`.

Where the subset differs from the standard (https://github.com/google/cel-spec):

- Types are checked before anything runs, and there is no `dyn`: both sides of a comparison have one type or are
  int and double, both values of a `?:` have one type, a list holds constants of one type and is not empty.
- uint, bytes, null, maps, messages, indexes, and the macros `all`, `exists`, `exists_one`, `map` and `filter` are
  refused; so is comparing lists.
- int and double compare by their exact values; some implementations round the int first.
- `timestamp()` and `duration()` take literals and are kept in milliseconds; finer ones are refused. There are no
  `getHours()` and the like yet.
- `matches` takes a literal pattern. `double("1e999")` is infinite. `string()` of a double is its shortest text, with
  an exponent from 1e16 on.
- At most 4,096 characters, 64 levels, 1,000 nodes, 1,000 elements in a list, 256 characters in a pattern.
"""

from fraudbrain_shared.expressions.checker import Expression, check
from fraudbrain_shared.expressions.compiler import compile_function, local_name
from fraudbrain_shared.expressions.problems import ExpressionErrors, ExpressionProblem
from fraudbrain_shared.expressions.types import Name, Range, Scope, Type
from fraudbrain_shared.expressions.values import ERROR, UNKNOWN, EvaluationError

__all__ = [
    "ERROR",
    "UNKNOWN",
    "EvaluationError",
    "Expression",
    "ExpressionErrors",
    "ExpressionProblem",
    "Name",
    "Range",
    "Scope",
    "Type",
    "check",
    "compile_function",
    "local_name",
]
