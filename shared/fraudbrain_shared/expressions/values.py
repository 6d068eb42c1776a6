"""What an expression may yield instead of a value: unknown and error."""

from typing import Final, NoReturn


class EvaluationError:
    """The one value of an evaluation that failed: overflow, division by zero, a text that is no number.

    It has no truth value, so that no `if` can mistake it for an answer; compare with `is ERROR`.
    """

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        raise TypeError("an evaluation error is neither true nor false")

    def __repr__(self) -> str:
        return "ERROR"

    def __reduce__(self) -> str:
        return "ERROR"


UNKNOWN: Final = None
ERROR: Final = EvaluationError()
