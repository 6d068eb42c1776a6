"""HBase through its Thrift gateway: the only modules of this tier that know happybase."""

from fraudbrain_realtime.stores.hbase.gateway import Gateway, create_table, note_once
from fraudbrain_realtime.stores.hbase.profile_table import ProfileTable

__all__ = ["Gateway", "ProfileTable", "create_table", "note_once"]
