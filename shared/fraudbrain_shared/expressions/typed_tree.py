"""The checked tree: every node knows its type and what it may yield. The compiler needs nothing else."""

from dataclasses import dataclass, field
from typing import Literal

from fraudbrain_shared.expressions.functions import Overload
from fraudbrain_shared.expressions.patterns import Pattern
from fraudbrain_shared.expressions.time_zones import Zone
from fraudbrain_shared.expressions.tree import Scalar
from fraudbrain_shared.expressions.types import RANGES, Name, Range, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What all nodes tell. `range` holds the whole numbers that the node may yield; None for other types.

    `length` is the greatest number of characters of a text or of elements of a list, `item_length` that of the texts
    in a list; both are estimates where nothing was declared, and 0 for other types. `height` is the number of nodes
    on the longest way down.
    """

    type: Type
    range: Range | None = None
    may_be_unknown: bool = False
    may_fail: bool = False
    length: int = 0
    item_length: int = 0
    operands: tuple["Node", ...] = ()
    height: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "height", 1 + max((each.height for each in self.operands), default=0))

    @property
    def is_sure(self) -> bool:
        """Does it yield a value of its type whatever comes?"""
        return not (self.may_be_unknown or self.may_fail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Node):
    """A value that the text spells; the pattern of `matches` and a time zone are such values, too."""

    value: Scalar | tuple[Scalar, ...] | Pattern | Zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Node):
    """The value of a name."""

    name: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Element(Node):
    """The element of a list that a macro is at; `level` counts the macros around that macro."""

    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply(Node):
    """A strict operator or function. `exact` is the range of its result before the overflow check."""

    function: str
    overload: Overload
    exact: Range | None = None

    @property
    def may_overflow(self) -> bool:
        return self.exact is not None and not self.exact.within(RANGES[self.type])


FormName = Literal["&&", "||", "?:", "known", "or_else"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Node):
    """An operator that is not strict: it may have a value though an operand has none."""

    form: FormName


MacroName = Literal["exists", "all", "exists_one"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop(Node):
    """A macro: its operands are a list, and the condition on the `Element` of this `level`.

    `exists` is `||` and `all` is `&&` over the conditions of all elements, whatever their number; `exists_one` counts,
    and is strict.
    """

    macro: MacroName
    level: int
