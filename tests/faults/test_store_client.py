"""Whatever happens to replies, a row that was read is the row that was asked for."""

from typing import TYPE_CHECKING

from fraudbrain_deploy.faults.proxy import Proxy
from tests.faults.store_client import ACCIDENTS, MOODS, Reads, careless_client, read, spoiling, store_client, write_rows

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings


def test_no_row_is_taken_for_another_however_replies_come(stack: "StackSettings", space: str) -> None:
    table = f"fraudbrain.{space}.profiles.a"
    told = store_client(stack.thrift_address, table, rows=2_500, readers=2, timeout_s=120, seed=1)
    assert told["foreign"] == 0
    print(told)


def test_a_client_that_goes_on_after_a_timeout_is_caught(stack: "StackSettings", space: str) -> None:
    table = f"fraudbrain.{space}.profiles.a"
    write_rows(stack.thrift_address, table)
    reads = Reads()
    with Proxy(stack.thrift_address) as proxy, spoiling(proxy, 1, ("late", "delayed")):
        read(careless_client(proxy, table), 1, rows=100_000, timeout_s=120, reads=reads, stop_at_foreign=True)
    assert reads.foreign


def test_every_kind_of_accident_has_a_name_of_its_own() -> None:
    assert not set(MOODS) & set(ACCIDENTS)
