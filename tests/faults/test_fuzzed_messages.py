"""No bytes end a worker: each message is decided, or stands in the dead letters as it came."""

from typing import TYPE_CHECKING

from tests.faults.fuzzed_messages import fuzzed_messages
from tests.faults.stage import deployed

if TYPE_CHECKING:
    from fraudbrain_deploy.stack import StackSettings


def test_each_fuzzed_message_is_decided_or_a_dead_letter_and_no_process_ends(
    stack: "StackSettings", space: str
) -> None:
    told = fuzzed_messages(deployed(stack, space), count=4_000, per_s=400, seed=1)
    print(told)
    assert told["decided"]
    assert told["oversize_with_hash_length_and_beginning"]
