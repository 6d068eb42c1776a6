"""What several checked trees have in common, so that it is computed once for all of them."""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator

from fraudbrain_shared.expressions.typed_tree import Apply, Constant, Element, Form, Loop, Node, Read
from fraudbrain_shared.expressions.types import Name


class SharedParts:
    """Equal parts of `trees`, by number: equal nodes have one number, whichever tree they stand in.

    A part is shared if it stands in at least two places and one of them is computed for every event: then to compute
    it ahead costs nothing, whatever the `&&` around the others would have spared. What reads the element of a macro
    around it has another value each time and is not shared; all else in a macro's condition is shared with itself.
    """

    def __init__(self, trees: Iterable[Node]) -> None:
        self._number_of_id: dict[int, int] = {}
        self._number_of_key: dict[Hashable, int] = {}
        self._levels: list[frozenset[int]] = []
        self._is_fixed: list[bool] = []
        self._times: Counter[int] = Counter()
        self._always: set[int] = set()
        self.trees = tuple(trees)  # kept, for a number is looked up by identity
        for tree in self.trees:
            self._count(tree, always=True)

    def shared_number(self, node: Node) -> int | None:
        """The number of a part that is shared, else None."""
        number = self._number(node)
        is_shared = (
            isinstance(node, Apply | Form | Loop)
            and self._times[number] > 1
            and number in self._always
            and not self._levels[number]
            and not self._is_fixed[number]
        )
        return number if is_shared else None

    def _count(self, node: Node, *, always: bool, times: int = 1) -> None:
        number = self._number(node)
        is_first = number not in self._times
        self._times[number] += times
        if always:
            self._always.add(number)
        if not is_first:
            return  # what is below is computed with it
        for operand, needed in zip(node.operands, _needed(node), strict=True):
            in_loop = isinstance(node, Loop) and operand is node.operands[1]
            self._count(operand, always=always and needed, times=2 if in_loop else times)

    def _number(self, node: Node) -> int:
        number = self._number_of_id.get(id(node))
        if number is None:
            below = tuple(self._number(each) for each in node.operands)
            number = self._number_of_key.setdefault((_own_key(node), below), len(self._levels))
            if number == len(self._levels):
                levels = frozenset[int]().union(*(self._levels[each] for each in below))
                levels = levels | {node.level} if isinstance(node, Element) else levels
                self._levels.append(levels - {node.level} if isinstance(node, Loop) else levels)
                is_leaf_fixed = isinstance(node, Constant)
                self._is_fixed.append(is_leaf_fixed or (bool(below) and all(self._is_fixed[each] for each in below)))
            self._number_of_id[id(node)] = number
        return number


def _own_key(node: Node) -> Hashable:
    """What tells a node from others with equal operands."""
    match node:
        case Constant(value=value):
            return type(node), node.type, repr(value) if isinstance(value, float | tuple) else value, type(value)
        case Read(name=name):
            return type(node), name
        case Element(level=level):
            return type(node), node.type, level
        case Apply(overload=overload):
            return type(node), id(overload), node.range, node.exact
        case Form(form=form):
            return type(node), form
        case Loop(macro=macro, level=level):
            return type(node), macro, level
        case _:
            raise AssertionError(node)


def _needed(node: Node) -> Iterator[bool]:
    """Of each operand, whether it is computed whenever the node is."""
    match node:
        case Form(form="&&" | "||"):
            first = in_order(node.operands)[0]
            yield from (each is first for each in node.operands)
        case Form(form="?:"):
            yield from (True, False, False)
        case Form(form="or_else"):
            yield from (True, False)
        case _:
            yield from (True for _ in node.operands)


def in_order(operands: Iterable[Node]) -> list[Node]:
    """The operands of `&&` or `||` in the order in which they are computed: those first that always have a value."""
    return sorted(operands, key=lambda each: not each.is_sure)


def names_read(node: Node) -> Counter[Name]:
    """How often each name is read; what a macro's condition reads counts twice, for it is read for each element."""
    names: Counter[Name] = Counter([node.name] if isinstance(node, Read) else [])
    for operand in node.operands:
        found = names_read(operand)
        names += found
        if isinstance(node, Loop) and operand is node.operands[1]:
            names += found
    return names
