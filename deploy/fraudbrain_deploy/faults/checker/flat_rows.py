"""Reads the flat states of a row; this code is its own, the form is told in `features/flat_states.py`.

After four bytes that number the layout each state is its tag (4 bytes), the length of what follows (2), its letters as
bits (1), and numbers of 7 bits a byte, the lowest first; hops stand there from the newest back.
"""

from collections.abc import Iterator
from itertools import accumulate
from struct import unpack_from
from typing import Any, Final

_LETTERS: Final = "nslhqaz"
_OF_ONE_HOP: Final = "nslhq"


def flat_states(flat: bytes) -> Iterator[list[Any]]:
    """The states as lists: tag, signature, two numbers, the beginnings of hops in seconds, a column for each letter.

    Raises ValueError where there is more or less than that, or what this reader does not know.
    """
    place = 4
    while place < len(flat):
        tag, length, bits = unpack_from("<IHB", flat.ljust(place + 7), place)
        letters = "".join(letter for bit, letter in enumerate(_LETTERS) if bits >> bit & 1)
        place += 7 + length
        if place > len(flat) or "a" in letters:
            raise ValueError("a flat state that is cut, or keeps what this judge does not know")
        numbers = list(_numbers(flat[place - length : place]))
        try:
            state = _state(letters, numbers)
        except IndexError:
            raise ValueError("a flat state with less than it says") from None
        if numbers:
            raise ValueError("a flat state with more than it says")
        yield [tag, *state]


def _state(letters: str, numbers: list[int]) -> list[Any]:
    """Takes from the beginning of the numbers what it needs."""
    hop_s, hops = numbers.pop(0), numbers.pop(0)
    start = _signed(numbers.pop(0)) if hops else 0
    together = numbers.pop(0)
    as_of, limit = (start + _signed(together - 1), numbers.pop(0)) if together else (0, 16)
    newest = [1000 * start + _signed(numbers.pop(0)), _signed(numbers.pop(0))] if "z" in letters else []
    starts: list[int] = []
    own: dict[str, list[int]] = {letter: [] for letter in letters if letter in _OF_ONE_HOP}
    for place in range(hops):
        starts.append(starts[-1] - numbers.pop(0) if place else start)
        for letter, column in own.items():
            number = numbers.pop(0)
            if letter in "lh" and place:
                column.append(column[-1] + (number if letter == "h" else -number))
            else:
                column.append(number if letter == "n" else _signed(number))
    columns: dict[str, list[int]] = {"z": newest}
    for letter, column in own.items():
        oldest_first = column[::-1]
        columns[letter] = oldest_first if letter in "lh" else list(accumulate(oldest_first, initial=0))
    return [f"{hop_s}{letters}", as_of, limit, starts[::-1], *(columns[letter] for letter in letters)]


def _numbers(body: bytes) -> Iterator[int]:
    number = bits = 0
    for byte in body:
        number |= (byte & 127) << bits
        bits += 7
        if byte < 128:
            yield number
            number = bits = 0


def _signed(number: int) -> int:
    return -(number + 1 >> 1) if number & 1 else number >> 1
