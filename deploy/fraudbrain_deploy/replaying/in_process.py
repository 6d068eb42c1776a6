"""A replay without any server: the core of the fast tier on a file, in this process, in seconds.

Rules, features and policy are the real ones. What other tiers would have found out (context, moved parameters,
models) is not there.
"""

import tempfile
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa

from fraudbrain_deploy.importing import EventSource
from fraudbrain_deploy.replaying import scores
from fraudbrain_deploy.replaying.decisions_file import DecisionsFile
from fraudbrain_deploy.replaying.display import Display
from fraudbrain_deploy.replaying.reading import DecisionsRead
from fraudbrain_deploy.replaying.report import ReplayReport
from fraudbrain_shared.admission import Rejected
from fraudbrain_shared.decisions import Simulation, Undecided
from fraudbrain_shared.scenario.description import Scenario

PACE = "in-process"


def replay_in_process(scenario: Scenario, source: EventSource, *, out: Path | None, screen: Display) -> ReplayReport:
    """Decides all events of the source in its order; each counts as appended when it happened.

    Decisions go to `out` as Parquet, as in other replays. Raises ScenarioError.
    """
    began = time.monotonic()
    simulation = Simulation(scenario)
    counts: Counter[str] = Counter()
    taken = 0
    versions: dict[tuple[str, str, str | None], None] = {}
    with tempfile.TemporaryDirectory(prefix="fraudbrain-replay-") as folder, screen:
        screen.says(f"deciding {source.events:,} events of {source.name} in this process")
        file = DecisionsFile(Path(folder) / "decisions.parquet")
        started = time.monotonic()
        for batch in source.event_batches():
            for ending in simulation.run(zip(batch.keys, batch.values, batch.due, strict=True)):
                if isinstance(ending, Rejected):
                    counts["dead_letters"] += 1
                elif isinstance(ending, Undecided):
                    counts[ending.value] += 1
                else:
                    counts["decisions"] += 1
                    counts["degraded"] += bool(ending.degraded)
                    made_by = ending.versions
                    versions[made_by.scenario, made_by.rules, made_by.model] = None
                    file.add(ending, 0)
            taken += len(batch)
            screen.told(taken, counts["decisions"])
        seconds = time.monotonic() - started
        file.close()
        first = scores.first_decisions(DecisionsRead(file.path, counts["decisions"], []))
        if out is not None:
            scores.write(first.append_column("latency_ms", pa.nulls(first.num_rows, pa.float64())), out)
    return ReplayReport(
        scenario=scenario.name,
        space="",
        source=source.name,
        pace=PACE,
        rows=source.rows,
        mapping=source.mapping,
        labels=0,
        events=source.events,
        decisions=counts["decisions"],
        folded=counts["folded"],
        duplicates=counts["duplicate"],
        dead_letters=counts["dead_letters"],
        missing=0,
        degraded=counts["degraded"],
        repeated=0,
        old_duplicates=counts["decisions"] - first.num_rows,
        conflicts=0,
        outcomes=scores.outcomes(first),
        events_per_s=round(source.events / seconds, 1) if seconds else 0.0,
        sent_s=0.0,
        seconds=round(seconds, 3),
        minutes=round((time.monotonic() - began) / 60, 3),
        latency_ms=None,
        versions=[dict(zip(("scenario", "rules", "model"), each, strict=True)) for each in versions],
        balanced=True,
        verdict=f"Each of {source.events:,} events ended in exactly one way.",
    )
