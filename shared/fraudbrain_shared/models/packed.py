"""A release that was checked, packed for another process: what it decides by as raw arrays, and nothing to check."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from fraudbrain_shared.models.forest import Layout
from fraudbrain_shared.models.scorer import Scorer
from fraudbrain_shared.records import ModelRelease, Trees

_NO_TREES: Final = Trees((), (), (), (), (), ())
_TYPES: Final = {"plan": np.uint32, "places": np.int64, "means": np.float64}


class _Packed(msgspec.Struct, frozen=True, array_like=True):
    release: ModelRelease
    width: int
    nodes: bytes
    arrays: dict[str, bytes]


def pack(scorer: Scorer) -> bytes:
    """A scorer as bytes for `unpack`, in the same build on the same machine. They must come from nobody else."""
    release = msgspec.structs.replace(
        scorer.release, trees=_NO_TREES, golden=(), golden_scores=(), histograms={}, score_histogram=None
    )
    layout = scorer.layout
    arrays = {name: getattr(layout, name).tobytes() for name in _TYPES}
    packed = _Packed(release, layout.width, layout.nodes.tobytes(), arrays)
    return msgspec.msgpack.encode(packed)


def unpack(packed: bytes, feature_names: Sequence[str]) -> Scorer:
    """The scorer, without a look at its trees. Its release has neither these nor golden rows nor histograms."""
    from fraudbrain_shared.models.kernel import NODE

    found = msgspec.msgpack.decode(packed, type=_Packed)
    arrays: dict[str, Any] = {name: _array(found.arrays[name], kind) for name, kind in _TYPES.items()}
    layout = Layout(width=found.width, nodes=_array(found.nodes, NODE), **arrays)
    return Scorer(found.release, feature_names, layout)


def _array(raw: bytes, kind: Any) -> Any:
    """An array that can be written: numba compiles its kernel anew for one that cannot."""
    return np.frombuffer(bytearray(raw), kind)
