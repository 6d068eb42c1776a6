"""The demo's payments: one simulation, cut into a history and the live stretch that follows it."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fraudbrain_deploy.simulation import cards, files
from fraudbrain_deploy.steps import Tell

SEED = 20
DAYS = 21
CUSTOMERS = 2_000
HISTORY_PER_CUSTOMER = 10
# In 21 days a customer pays about 30 times: 10 payments are history, and 15 at most are used live.
LIVE_PER_CUSTOMER = 15


@dataclass(frozen=True, slots=True)
class Files:
    """Folders of events and labels, as `simulate` makes them."""

    history: Path
    live: Path


def make(folder: Path, live_events: int, tell: Tell) -> Files:
    """Simulates enough payments and writes both stretches below `folder`; the same at every call.

    The live payments keep their own times, a day and more of them in the seconds of the demo: what a
    profile knows stays as true to life as the simulation is.
    """
    customers = max(CUSTOMERS, -(-live_events // LIVE_PER_CUSTOMER))
    settings = cards.settings_from(
        None, {"days": DAYS, "customers.count": customers, "terminals.count": customers // 2}
    )
    simulated = cards.simulate(settings, SEED, lambda stage, _: tell(stage))
    files.write(simulated, folder / "simulation", settings=settings, seed=SEED)
    history = HISTORY_PER_CUSTOMER * customers
    made = Files(folder / "history", folder / "live")
    _cut(folder / "simulation", made.history, 0, history)
    _cut(folder / "simulation", made.live, history, live_events)
    return made


def example(decisions: Path) -> tuple[str, str] | None:
    """Subject and event id of the last payment that was declined, else reviewed; None if all were approved."""
    table = pq.read_table(decisions, columns=["subject", "event_id", "outcome"])
    for outcome in ("decline", "review"):
        chosen = table.filter(pc.equal(table["outcome"].cast(pa.string()), outcome))
        if chosen.num_rows:
            row: dict[str, Any] = chosen.slice(chosen.num_rows - 1).to_pylist()[0]
            return row["subject"], row["event_id"]
    return None


def _cut(simulation: Path, folder: Path, start: int, count: int) -> None:
    """So many events from `start` on, with their labels."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    events = pq.read_table(simulation / "events.parquet").slice(start, count)
    labels = pq.read_table(simulation / "labels.parquet")
    pq.write_table(events, folder / "events.parquet")
    pq.write_table(labels.filter(pc.is_in(labels["event_id"], events["event_id"])), folder / "labels.parquet")
