"""The cost of an expression on one event, estimated before any event comes.

A unit is what comparing two numbers takes. Every operand counts, as if `&&`, `||` and `?:` never spared one (of the
two values of `?:` the dearer one counts), texts have their greatest length, lists their greatest number of elements,
and a macro costs its condition once for each element. What an operator or function costs stands beside it in the table
in `functions.py`, in proportions that were measured.
"""

from typing import Final

from fraudbrain_shared.expressions.typed_tree import Apply, Constant, Element, Form, Loop, Node

MAX_COST: Final = 10_000
# Of a text and of a list for which nothing is declared. An event is small, so hardly any is longer.
UNDECLARED_LENGTH: Final = 1_000
UNDECLARED_ITEMS: Final = 100


def cost_of(node: Node) -> int:
    """The units that `node` takes at most, everything below it included."""
    operands = [cost_of(each) for each in node.operands]
    match node:
        case Constant() | Element():
            return 0
        case Apply(function="in", operands=(sought, Constant())):  # a set, whatever its size
            return 2 + sought.length // 64 + sum(operands)
        case Apply(function="in", operands=(sought, listed)):
            return node.overload.cost(min(sought.length, listed.item_length), listed.length) + sum(operands)
        case Apply():
            return node.overload.cost(*(each.length for each in node.operands)) + sum(operands)
        case Form(form="?:"):
            return 1 + operands[0] + max(operands[1:])
        case Form():
            return len(operands) + sum(operands)
        case Loop():
            return 5 + operands[0] + node.operands[0].length * (1 + operands[1])
        case _:
            return 1
