"""The generation of the log, which the fast tier notes and `fraudbrain epoch raise` raises."""

import msgspec

from fraudbrain_shared.records import LogGeneration
from fraudbrain_shared.records.epoch import LOG_ROW, META_COLUMN
from fraudbrain_shared.topics import Names
from fraudbrain_streaming.hbase import NoSuchTable, Store


def log_generation(store: Store, names: Names) -> int:
    """The generation as of now; the first, while no worker has ever started. Raises `StoreUnavailable`."""
    try:
        noted = store.get(names.table("meta"), LOG_ROW).get(META_COLUMN)
    except NoSuchTable:
        return 1
    return msgspec.json.decode(noted, type=LogGeneration).generation if noted else 1
