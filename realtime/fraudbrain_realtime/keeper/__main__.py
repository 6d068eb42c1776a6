"""The keeper's process. Its worker starts it: `python -m fraudbrain_realtime.keeper HOST PORT TABLE SOCKET`."""

import logging
import signal
import socket
import sys

from fraudbrain_realtime.keeper.serving import Serving
from fraudbrain_realtime.stores.hbase import Gateway, ProfileTable


def main() -> None:
    """Serves until the worker is gone. A stop that is meant for the whole session is the worker's to hear of."""
    host, port, table, number = sys.argv[1:]
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_IGN)
    Serving(socket.socket(fileno=int(number)), ProfileTable(Gateway(host, int(port)), table), None).run()


if __name__ == "__main__":
    main()
