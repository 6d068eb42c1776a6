"""Identifiers and yes-or-no values of a foreign file, whatever type it keeps them in."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudbrain_deploy.importing.converted import Column, Converted, is_text, mask, only

TEXT = "text"
YES_OR_NO = "yes or no"

_YES = pa.array(["true", "t", "yes", "y", "1", "1.0"])
_NO = pa.array(["false", "f", "no", "n", "0", "0.0"])


def strings(column: Column) -> Converted:
    """Text as it stands; a whole number without decimals, also where the file keeps it as a double."""
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        return Converted.of(pa.nulls(len(column), pa.string()), column, TEXT)
    if pa.types.is_floating(column.type):
        known = column.drop_null().to_numpy(zero_copy_only=False)
        if np.all(np.abs(known) < 2**53) and np.all(known == np.rint(known)):
            column = column.cast(pa.int64())
    return Converted.of(column.cast(pa.string()), column, TEXT)


def booleans(column: Column) -> Converted:
    """True and false, 1 and 0, yes and no, as text in any case."""
    if pa.types.is_boolean(column.type):
        return Converted.of(column, column, YES_OR_NO)
    words = column if is_text(column) else strings(column).values
    words = pc.utf8_lower(pc.utf8_trim_whitespace(words))
    yes, no = mask(pc.is_in(words, _YES)), mask(pc.is_in(words, _NO))
    return Converted.of(only(pa.array(yes), yes | no), column, YES_OR_NO)
