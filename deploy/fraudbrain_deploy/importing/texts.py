"""Identifiers and yes-or-no values of a foreign file, whatever type it keeps them in."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fraudbrain_deploy.importing.converted import Column, Converted, is_text, mask, only

TEXT = "text"
TEXTS = "a list of texts"
YES_OR_NO = "yes or no"

_LIST = pa.list_(pa.string())
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


def words(column: Column, known: Sequence[str]) -> Converted:
    """Text that is one of the `known` words."""
    texts = strings(column).values
    return Converted.of(only(texts, mask(pc.is_in(texts, pa.array(known)))), column, f"one of {', '.join(known)}")


def lists(column: Column, separator: str | None) -> Converted:
    """Lists of texts, without those that are null: as the file has them, or one text cut at each `separator`.

    An empty text is an empty list; one without separator is unreadable.
    """
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        texts = [each and [one for one in each if one is not None] for each in column.cast(_LIST).to_pylist()]
        return Converted.of(pa.array(texts, _LIST), column, TEXTS)
    if separator is None or not is_text(column):
        return Converted.of(pa.nulls(len(column), _LIST), column, TEXTS)
    cut = pc.split_pattern(column.cast(pa.string()), separator)
    nothing = pa.array([[]] * len(column), _LIST)
    return Converted.of(pc.if_else(pc.equal(column, ""), nothing, cut), column, TEXTS)


def booleans(column: Column) -> Converted:
    """True and false, 1 and 0, yes and no, as text in any case."""
    if pa.types.is_boolean(column.type):
        return Converted.of(column, column, YES_OR_NO)
    words = column if is_text(column) else strings(column).values
    words = pc.utf8_lower(pc.utf8_trim_whitespace(words))
    yes, no = mask(pc.is_in(words, _YES)), mask(pc.is_in(words, _NO))
    return Converted.of(only(pa.array(yes), yes | no), column, YES_OR_NO)
