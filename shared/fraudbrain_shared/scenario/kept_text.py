"""How long the texts are that a profile keeps: only such as a field bounds, and shortly."""

from collections.abc import Mapping
from typing import Final

from fraudbrain_shared.expressions import Expression
from fraudbrain_shared.expressions.typed_tree import Constant, Form, Node, Read
from fraudbrain_shared.scenario.description import EventType, Field

MAX_KEPT_TEXT: Final = 64
"""The most characters of a text that a profile keeps."""


def text_lengths(event_type: EventType) -> dict[str, int]:
    """By path, the most characters that the text fields of an event may have, where that is declared."""
    lengths = ((f"event.{field.name}", _length(field)) for field in event_type.fields.values())
    return {path: length for path, length in lengths if length is not None}


def _length(field: Field) -> int | None:
    return max(map(len, field.values), default=0) if field.type == "enum" else field.max_length


def is_short(expression: Expression, lengths: Mapping[str, int]) -> bool:
    """Whether an expression's text has at most MAX_KEPT_TEXT characters, whatever comes."""
    longest = _longest(expression.tree, lengths)
    return longest is not None and longest <= MAX_KEPT_TEXT


def _longest(node: Node, lengths: Mapping[str, int]) -> int | None:
    match node:
        case Constant(value=str() as text):
            return len(text)
        case Read(name=name):
            # What a profile keeps is short already.
            return MAX_KEPT_TEXT if name.path.startswith("profile.") else lengths.get(name.path)
        case Form(form="?:" | "or_else", operands=operands):
            branches = [_longest(each, lengths) for each in operands[-2:]]
            known = [each for each in branches if each is not None]
            return max(known) if len(known) == len(branches) else None
        case _:
            return None
