"""The keeper's process. Its worker starts it: `python -m fraudbrain_realtime.keeper --thrift … --table …`.

Its standard input is a socket to the worker.
"""

import argparse
import socket
import sys

from fraudbrain_realtime.keeper.serving import Answers, Page, Serving
from fraudbrain_realtime.stores.hbase import Gateway, ProfileTable
from fraudbrain_shared.logs import add_log_arguments, set_up


def main() -> None:
    """Serves until the worker is gone."""
    parser = argparse.ArgumentParser(prog="python -m fraudbrain_realtime.keeper", description=__doc__)
    parser.add_argument("--thrift", required=True, help="host:port of HBase's Thrift gateway")
    parser.add_argument("--table", required=True, help="the table of profiles")
    parser.add_argument("--redis", help="URL of the Redis that takes the decisions; without it none does")
    parser.add_argument("--metrics", metavar="HOST:PORT", help="show there how the worker is; port 0: any free one")
    parser.add_argument("--worker", default="", help="whose keeper it is, for the log")
    add_log_arguments(parser)
    arguments = parser.parse_args()
    set_up(arguments.log_level, arguments.log_format, tier="realtime", process="keeper", worker=arguments.worker)
    host, _, port = arguments.thrift.rpartition(":")
    table = ProfileTable(Gateway(host, int(port)), arguments.table)
    Serving(socket.socket(fileno=sys.stdin.fileno()), table, _answers(arguments.redis), _page(arguments.metrics)).run()


def _answers(url: str | None) -> Answers | None:
    if url is None:
        return None
    from fraudbrain_realtime.stores.redis import RedisAnswers

    return RedisAnswers(url)


def _page(address: str | None) -> Page | None:
    if address is None:
        return None
    from fraudbrain_realtime.keeper.page import MetricsPage

    host, _, port = address.rpartition(":")
    return MetricsPage(host, int(port))


if __name__ == "__main__":
    main()
