"""A column on its way from a file to the fields of events."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Column = Any  # pyarrow.Array; its type stubs cannot follow columns whose type is known at run time only
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Converted:
    """Values in the wanted type, null where a row has none; `unreadable` where it has something else.

    `wanted` says what was expected, for people: "a whole number".
    """

    values: Column
    unreadable: Mask
    wanted: str

    @classmethod
    def of(cls, values: Column, given: Column, wanted: str) -> "Converted":
        """Whatever `given` has and `values` lacks was unreadable."""
        return cls(values, mask(pc.and_(values.is_null(), given.is_valid())), wanted)


def mask(values: Column) -> Mask:
    """Booleans as numpy has them; null counts as false."""
    return np.asarray(pc.fill_null(values, False).to_numpy(zero_copy_only=False), dtype=np.bool_)


def only(values: Column, where: Mask) -> Column:
    """The values where the mask holds, null elsewhere."""
    return pc.if_else(pa.array(where), values, pa.scalar(None, values.type))


def plain(column: Any) -> Column:
    """One contiguous array without dictionary, and without NaN, by which data frames say *nothing*."""
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # what is too long for one chunk
        array = pa.concat_arrays(array.chunks)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_floating(array.type):
        array = only(array, ~np.isnan(array.to_numpy(zero_copy_only=False)))
    return array


def is_text(column: Column) -> bool:
    """Whether it holds strings of any kind."""
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))
