"""The demo's payments: one simulation, cut into a history and two live stretches: a storm, then a heavy load.

Everybody pays in the live stretches; only some have a history, so that it can be replayed in a minute or two.
The live payments are those of the last day, in their order; they happen when they are sent.
"""

import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fraudbrain_deploy.simulation import cards, files
from fraudbrain_deploy.steps import Tell

SEED = 20
HISTORY_DAYS = 12
"""A surge is told from a baseline of 7 days; what nobody complained of is known to be good after 7."""

KNOWN_CUSTOMERS = 3_000
CUSTOMERS_A_PAYMENT = 0.8  # so many customers make one payment on the last day, with some to spare
STORM_S = 60.0
STORM_BACKGROUND_PER_S = 40.0
WAVE_FROM_S, WAVE_TO_S = 5.0, 55.0
WAVE_PAYMENTS = 240
WAVE_TERMINALS = 3
MIN_HISTORY = 10
"""The rules compare a payment with a card's habit from so many payments on: cards worth stealing have them."""

FRAUD_RATES = {"stolen_card.rate": 2.0, "compromised_terminal.rate": 0.5, "copied_details.rate": 0.5}
"""More than in life: after so few days there must be frauds enough to learn from."""

LABELS = {"labels.fraud_days": 3.0, "labels.fraud_days_spread": 0.0, "labels.good_days": 3.0}
"""Good and bad become known alike: were frauds known sooner, all that is known of the last days would be frauds, and
a model that learns from so few days would take whatever is typical of late ones for a sign of fraud."""

_DAY_MS = 86_400_000
_AHEAD_MS = 1_500  # until the sender is ready


@dataclass(frozen=True, slots=True)
class Wave:
    """Payments of a wave, by id, and the terminals that it hits."""

    events: frozenset[str]
    terminals: frozenset[str]


@dataclass(frozen=True, slots=True)
class Files:
    """Folders of events, as `simulate` makes them; those of the history with their labels."""

    history: Path
    storm: Path
    load: Path
    storm_per_s: float
    attack: Wave
    rush: Wave
    truth: Path

    def labels(self) -> pa.Table:
        """The truth on all live payments, which nobody has told yet: subject, event id and fraud."""
        live = pa.concat_tables(pq.read_table(each / "events.parquet") for each in (self.storm, self.load))
        truth = pq.read_table(self.truth)
        frauds = truth.filter(truth["fraud"])["event_id"]
        fraud = pc.is_in(live["event_id"], frauds)
        return pa.table({"subject": live["card_id"], "event_id": live["event_id"], "fraud": fraud})


def make(folder: Path, load_events: int, tell: Tell) -> Files:
    """Simulates enough payments, up to yesterday's midnight and one day more, and writes the stretches below `folder`.

    The same at every call, but for the date.
    """
    background = round(STORM_S * STORM_BACKGROUND_PER_S)
    customers = max(KNOWN_CUSTOMERS, round(CUSTOMERS_A_PAYMENT * (load_events + background)))
    settings = cards.settings_from(None, _settings(customers))
    simulated = cards.simulate(settings, SEED, lambda stage, _: tell(stage))
    files.write(simulated, folder / "simulation", settings=settings, seed=SEED)
    events = pq.read_table(folder / "simulation" / "events.parquet")
    habits = pq.read_table(folder / "simulation" / "truth.parquet")
    is_live = _times(events) >= settings.start_ms() + HISTORY_DAYS * _DAY_MS
    is_known = pc.less(events["card_id"], f"c{KNOWN_CUSTOMERS:06}").to_numpy()
    history, today = events.filter(pa.array(~is_live & is_known)), events.filter(pa.array(is_live))
    attack, rush = (_wave(today, habits, history, name) for name in ("attack_1", "rush_1"))
    waves = habits.filter(pc.is_in(habits["habit"], pa.array(["attack_1", "rush_1"])))
    ordinary = today.filter(pc.invert(pc.is_in(today["event_id"], waves["event_id"])))
    size = min(attack.num_rows, rush.num_rows, WAVE_PAYMENTS)
    attack, rush = attack.slice(0, size), rush.slice(0, size)
    storm = _interleaved(ordinary.slice(0, background), attack, rush)
    _write(folder / "history", history, labels=pq.read_table(folder / "simulation" / "labels.parquet"))
    _write(folder / "storm", storm)
    _write(folder / "load", ordinary.slice(background, load_events))
    return Files(
        history=folder / "history",
        storm=folder / "storm",
        load=folder / "load",
        storm_per_s=storm.num_rows / STORM_S,
        attack=_named(attack),
        rush=_named(rush),
        truth=folder / "simulation" / "truth.parquet",
    )


def happening_now(folder: Path, events_per_s: float, *, ahead_ms: int = _AHEAD_MS) -> Path:
    """The same payments, each at the moment at which it will be sent if sending begins `ahead_ms` from now."""
    events = pq.read_table(folder / "events.parquet")
    begin = round(time.time() * 1000) + ahead_ms
    times = begin + np.rint(np.arange(events.num_rows) * (1000 / events_per_s)).astype(np.int64)
    place = events.schema.get_field_index("event_time")
    return _write(folder / "now", events.set_column(place, "event_time", pa.array(times).cast(files.UTC_MS)))


def example(decisions: Path) -> tuple[str, str] | None:
    """Subject and event id of the last payment that was declined, else reviewed; None if all were approved."""
    table = pq.read_table(decisions, columns=["subject", "event_id", "outcome"])
    for outcome in ("decline", "review"):
        chosen = table.filter(pc.equal(table["outcome"].cast(pa.string()), outcome))
        if chosen.num_rows:
            row: dict[str, Any] = chosen.slice(chosen.num_rows - 1).to_pylist()[0]
            return row["subject"], row["event_id"]
    return None


def _settings(customers: int) -> dict[str, Any]:
    """The history ends at the midnight before now: what happens live comes after all that was replayed."""
    known = KNOWN_CUSTOMERS / customers / 2  # of whose cards about so many are fit for a wave
    raw = round(1.5 * WAVE_PAYMENTS / known)
    wave = {
        "day": HISTORY_DAYS,
        "time": "12:00",
        "minutes": 1.0,
        "terminals": WAVE_TERMINALS,
        "per_minute": raw / WAVE_TERMINALS,
        "cards": raw,
    }
    return {
        "start": datetime.now(UTC).date() - timedelta(days=HISTORY_DAYS),
        "days": HISTORY_DAYS + 1,
        "customers.count": customers,
        "terminals.count": customers // 2,
        **FRAUD_RATES,
        **LABELS,
        "attack": [wave | {"amount_times": 3.0}],
        "rush": [wave | {"amount_times": 1.0}],
    }


def _wave(today: pa.Table, habits: pa.Table, history: pa.Table, habit: str) -> pa.Table:
    """The payments of a wave with cards that have habits."""
    counts = history.group_by("card_id").aggregate([("event_id", "count")])
    used = counts.filter(pc.greater_equal(counts["event_id_count"], MIN_HISTORY))["card_id"]
    ids = habits.filter(pc.equal(habits["habit"], habit))["event_id"]
    return today.filter(pc.and_(pc.is_in(today["event_id"], ids), pc.is_in(today["card_id"], used)))


def _named(wave: pa.Table) -> Wave:
    return Wave(frozenset(wave["event_id"].to_pylist()), frozenset(wave["terminal_id"].to_pylist()))


def _interleaved(background: pa.Table, *waves: pa.Table) -> pa.Table:
    """All in one order: the background evenly over the storm, the waves evenly over their part of it."""
    moments = [np.linspace(0, STORM_S, background.num_rows)]
    moments += [np.linspace(WAVE_FROM_S, WAVE_TO_S, wave.num_rows) for wave in waves]
    order = np.argsort(np.concatenate(moments), kind="stable")
    return pa.concat_tables([background, *waves]).take(pa.array(order))


def _times(events: pa.Table) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    times: np.ndarray[tuple[int], np.dtype[np.int64]] = events["event_time"].cast(pa.int64()).to_numpy()
    return times


def _write(folder: Path, events: pa.Table, labels: pa.Table | None = None) -> Path:
    """The events, with those of the labels that are about them."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pq.write_table(events, folder / "events.parquet")
    if labels is not None:
        own = labels.filter(pc.is_in(labels["event_id"], events["event_id"]))
        pq.write_table(own, folder / "labels.parquet")
    return folder
