"""The source client beside a real worker, with each of the parts away in turn. No test asserts a time."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudbrain_client import Answer, Client, Event, NoSuchSpace, NotDecided
from fraudbrain_deploy import kafka, tiers
from fraudbrain_deploy.faults.proxy import Proxy
from fraudbrain_deploy.reconcile import reconcile

if TYPE_CHECKING:
    from fraudbrain_deploy.deployment import Deployment

PAGE = Path(__file__).resolve().parents[3] / "docs/source-client.md"
READY_S = 60.0
LONG_S = 60.0


def payment(number: int, *, amount: int = 1_000) -> Event:
    fields = {"card_id": f"card-{number % 20}", "terminal_id": "t1", "amount": amount}
    return Event(f"e{number}", "payment", time.time_ns() // 1_000_000, fields)  # type: ignore[arg-type]
