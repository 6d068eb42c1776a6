"""The kinds of faults, by the names they have on the command line."""

from typing import Final

KILL: Final = "kill"
STOP: Final = "stop"
RESTART: Final = "restart"
BROKER: Final = "broker"
HBASE: Final = "hbase"
THRIFT_SLOW: Final = "thrift-slow"
HALF_OPEN: Final = "half-open"
POISON: Final = "poison"
DUPLICATES: Final = "duplicates"
DISORDER: Final = "disorder"
CONTROLS: Final = "controls"
REDIS: Final = "redis"

KINDS: Final = {
    KILL: "a worker is killed (kill -9), every other time while it flushes, and started again",
    STOP: "a worker is stopped for 3 to 10 s (SIGSTOP) and goes on, not knowing what it missed",
    RESTART: "a worker is ended cleanly (SIGTERM) and started again",
    BROKER: "the broker is killed and started again",
    HBASE: "HBase's Thrift gateway, or HBase with it, is killed and started again",
    THRIFT_SLOW: "replies of the gateway are late, trickle, or break off in the middle",
    HALF_OPEN: "the gateway takes connections and requests and never answers",
    POISON: "records that are no events: fuzzed, broken, too large, with a foreign key",
    DUPLICATES: "events sent again: the same, with other bytes under the same id, or long after",
    DISORDER: "events that are seconds to days late, and some dated ahead of time",
    CONTROLS: "rule sets and parameters, good ones and bad ones",
    REDIS: "Redis is killed and started again",
}
