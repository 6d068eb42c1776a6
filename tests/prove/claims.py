"""The claims that are too heavy for every run of the tests, each with the code it covers and the way to prove it.

A claim's function gets a folder of its own, which is kept until the commit changes: what is in there need not be done
again. It returns what the evidence says, or ends with an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

Prove = Callable[[Path], dict[str, object]]


@dataclass(frozen=True)
class Claim:
    """Something we say about the platform; `covers` are the paths whose change makes its evidence stale."""

    name: str
    says: str
    covers: tuple[str, ...]
    prove: Prove


def _from(module: str, function: str) -> Prove:
    """The function of a module beside this one, imported when it is called: to list claims needs no XGBoost."""

    def prove(folder: Path) -> dict[str, object]:
        proved: dict[str, object] = getattr(import_module(f"tests.prove.{module}"), function)(folder)
        return proved

    return prove


CLAIMS = [
    Claim(
        name="expressions-agree-with-cel",
        says="Random expressions on random events yield what they yield in Google's CEL in C++, or no value in both",
        covers=("shared/fraudbrain_shared/expressions", "tests/parity/expressions", "tests/unit/expressions"),
        prove=_from("expressions", "expressions_agree_with_cel"),
    ),
    Claim(
        name="hostile-expressions",
        says="Each of the texts that an attacker would write is refused, or evaluated in a time that its cost bounds",
        covers=("shared/fraudbrain_shared/expressions", "tests/unit/expressions"),
        prove=_from("expressions", "hostile_expressions"),
    ),
    Claim(
        name="replay-public-file",
        says="A file replayed through stack and tiers at full speed: the books balance, each event has one decision",
        covers=("shared", "realtime", "streaming", "deploy"),
        prove=_from("replays", "replay_public_file"),
    ),
    Claim(
        name="replay-ninety-days",
        says="90 days in steps: nothing missing or degraded, a model goes live, parameters and model change decisions",
        covers=("shared", "realtime", "streaming", "offline", "deploy"),
        prove=_from("replays", "replay_ninety_days"),
    ),
    Claim(
        name="replay-repeats",
        says="30 days in steps come out the same when repeated, however the slow tier's batches are cut",
        covers=("shared", "realtime", "streaming", "offline", "deploy", "tests/system"),
        prove=_from("replays", "replay_repeats"),
    ),
    Claim(
        name="tiers-stopped-for-a-minute",
        says="The fast and the slow tier are each stopped for a minute while events flow, and nothing is lost",
        covers=("shared", "realtime", "streaming", "deploy", "tests/system"),
        prove=_from("replays", "tiers_stopped_for_a_minute"),
    ),
    Claim(
        name="crash-campaign",
        says="A million events while workers are killed a hundred times and stopped thirty, broker and store killed and"
        " spoilt: nothing lost, no conflicting decision, every profile right",
        covers=("shared", "realtime", "deploy/fraudbrain_deploy/faults", "tests/prove/campaigns.py"),
        prove=_from("campaigns", "crash_campaign"),
    ),
    Claim(
        name="store-client",
        says="100,000 rows read from HBase while replies are late, lost, cut, trickle or break off, and connections are"
        " reset, half-open, refused or closed when idle: none is another's",
        covers=(
            "shared/fraudbrain_shared/numbered_calls.py",
            "realtime/fraudbrain_realtime/stores",
            "tests/faults/store_client.py",
        ),
        prove=_from("faults", "store_client"),
    ),
    Claim(
        name="store-away",
        says="HBase away for ten minutes at 1,000 events a second: all decided, degraded only where a profile was"
        " not in memory, every profile right soon after its return; at the bound intake pauses and says so",
        covers=("shared", "realtime", "tests/faults/store_away.py"),
        prove=_from("faults", "store_away"),
    ),
    Claim(
        name="fuzzed-messages",
        says="100,000 fuzzed messages: no process ends, each bad one is a dead letter with its reason and its bytes,"
        " each good one is decided",
        covers=("shared", "realtime", "tests/faults/fuzzed.py", "tests/faults/fuzzed_messages.py"),
        prove=_from("faults", "fuzzed_messages"),
    ),
    Claim(
        name="one-group-killed",
        says="All workers of one of two groups killed under load: no event without a decision, and when they are back"
        " both groups agree on every event",
        covers=("shared", "realtime", "tests/faults/groups.py"),
        prove=_from("faults", "one_group_killed"),
    ),
    Claim(
        name="clean-restart",
        says="Workers ended cleanly and started again under load, one by one and all: no decision lost, none"
        " made twice",
        covers=("shared", "realtime", "tests/faults/groups.py"),
        prove=_from("faults", "clean_restart"),
    ),
    Claim(
        name="overload",
        says="Three times what a worker can decide for two minutes: it does not crash, its memory is bounded, every"
        " event is decided in the order of its subject, overdue ones are marked, and it has caught up within 1.5 times"
        " what the rates predict; who asks meanwhile gets the decision in time or the safe default",
        covers=(
            "shared",
            "client",
            "realtime",
            "deploy/fraudbrain_deploy/load",
            "deploy/fraudbrain_deploy/bench/reference",
            "tests/faults/asking.py",
            "tests/faults/decided_log.py",
            "tests/faults/overload.py",
            "tests/faults/overload_report.py",
        ),
        prove=_from("faults", "overload"),
    ),
    Claim(
        name="slow-tier-stopped-under-load",
        says="The slow tier stopped and started under load, on a core of its own: median latencies with and without it"
        " differ by a fifth at most, nothing is left unanswered, and it catches up after each start",
        covers=(
            "shared",
            "realtime",
            "streaming",
            "deploy/fraudbrain_deploy/load",
            "deploy/fraudbrain_deploy/bench/reference",
            "tests/faults/cores.py",
            "tests/faults/slow_tier_stopped.py",
        ),
        prove=_from("faults", "slow_tier_stopped_under_load"),
    ),
    Claim(
        name="model-releases",
        says="A release scores as XGBoost does; with a byte changed it is refused, with a part changed nothing crashes,"
        " and it is refused where a golden score changes",
        covers=(
            "shared/fraudbrain_shared/models",
            "shared/fraudbrain_shared/records/model.py",
            "offline/fraudbrain_offline/trees.py",
            "offline/fraudbrain_offline/golden.py",
            "offline/fraudbrain_offline/release.py",
            "tests/prove/model_releases.py",
            "tests/unit/models",
        ),
        prove=_from("model_releases", "prove"),
    ),
    Claim(
        name="bad-controls",
        says="Of bad rule sets, parameters and models none ever acts and none raises: each is rejected with its cause,"
        " and what stood decides",
        covers=(
            "shared/fraudbrain_shared/controls",
            "shared/fraudbrain_shared/expressions",
            "shared/fraudbrain_shared/models",
            "shared/fraudbrain_shared/scenario",
            "realtime/fraudbrain_realtime/controls",
            "tests/prove/bad_controls.py",
            "tests/unit/realtime/bad_controls.py",
            "tests/unit/realtime/controls_of_cards.py",
        ),
        prove=_from("bad_controls", "prove"),
    ),
    Claim(
        name="million-seeds",
        says="A million simulated runs in which everything goes wrong: nothing lost, counted twice or decided"
        " otherwise; every mutant of the protocol is found within 3,000",
        covers=("realtime", "shared/fraudbrain_shared", "tests/faults/simulator"),
        prove=_from("simulated", "million_seeds"),
    ),
]
