"""The generation of the log: whether the profiles in the store belong to the topic we are about to read.

Offsets mean something only within one topic. Profiles of a topic that was since made anew would
take its first events for ones they had applied, and skip them.
"""

from typing import Final

from fraudbrain_realtime.stores.hbase import Gateway, note_once

GENERATION: Final = 1
EPOCH: Final = 1  # raised by a tool, once there is one, when a group's folds change

_ROW: Final = b"events"
_COLUMN: Final = b"m:topic_id"


class WrongGeneration(Exception):
    """The events topic is not the one that the profiles were folded from."""


def check_generation(gateway: Gateway, meta_table: str, topic_id: str) -> None:
    """Notes the topic's id at the very first start; refuses another one at any later start.

    Raises WrongGeneration, StoreUnavailable.
    """
    known = note_once(gateway, meta_table, _ROW, _COLUMN, topic_id.encode()).decode()
    if known != topic_id:
        raise WrongGeneration(
            f"the profiles belong to an events topic with id {known}, but its id is now {topic_id}: the topic was "
            "created anew. Bring back the old topic, or drop the tables of this space so that profiles start empty"
        )
