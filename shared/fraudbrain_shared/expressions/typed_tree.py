"""The checked tree: every node knows its type and what it may yield. The compiler needs nothing else."""

from dataclasses import dataclass
from typing import Literal

from fraudbrain_shared.expressions.functions import Overload
from fraudbrain_shared.expressions.patterns import Pattern
from fraudbrain_shared.expressions.tree import Scalar
from fraudbrain_shared.expressions.types import RANGES, Name, Range, Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What all nodes tell. `range` holds the whole numbers that the node may yield; None for other types."""

    type: Type
    range: Range | None = None
    may_be_unknown: bool = False
    may_fail: bool = False
    operands: tuple["Node", ...] = ()

    @property
    def is_sure(self) -> bool:
        """Does it yield a value of its type whatever comes?"""
        return not (self.may_be_unknown or self.may_fail)

    @property
    def height(self) -> int:
        """The number of nodes on the longest way down."""
        return 1 + max((each.height for each in self.operands), default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant(Node):
    """A value that the text spells; the pattern of `matches` is one too, compiled."""

    value: Scalar | tuple[Scalar, ...] | Pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Node):
    """The value of a name."""

    name: Name


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
