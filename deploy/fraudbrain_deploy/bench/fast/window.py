"""The mission's own bound: how long an event takes, end to end, also while rules, a parameter, the model and the
workers change.

Two workers of one group, as they are deployed, under a load that waits for nobody. After a warm-up that is not counted
comes the window; in it each change happens once, and at last a rolling restart.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from fraudbrain_deploy import tiers
from fraudbrain_deploy.bench.fast.arms import Stage, topics_of
from fraudbrain_deploy.bench.fast.changes import Changes
from fraudbrain_deploy.bench.fast.group import Group
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.histogram import Histogram
from fraudbrain_deploy.load.load import Answers, Load, Loaded, answered
from fraudbrain_deploy.load.schedule import constant
from fraudbrain_deploy.load.stream import Plan
from fraudbrain_shared.testing.alternating import Tell

WORKERS: Final = 2
AFTER_S: Final = 10.0
"""So long after a change its latencies are looked at by themselves."""
RESTART: Final = "the rolling restart"
_LOOK_EVERY_S: Final = 0.2
_OVERTIME_S: Final = 300.0
"""So long the load goes on at most where a busy machine takes longer to restart the workers."""
_SLOW_TIER_READY_S: Final = 300.0
_SLOW_TIER_ENDS_S: Final = 30.0


class Course(NamedTuple):
    """How a window goes: so many events a second; `warm_up_s` that are not counted, then at least `seconds` that are.
    It lasts until the restart is over. Changes come `pause_s` after its begin and after each other."""

    per_s: int
    seconds: float
    warm_up_s: float
    pause_s: float
    with_slow_tier: bool = False

    @property
    def length_s(self) -> float:
        """Of the whole load at the least."""
        return self.warm_up_s + self.seconds

    @property
    def space(self) -> str:
        """What its space is called: no two windows of a run share one."""
        return f"bench-window-{self.per_s}{'-slow' if self.with_slow_tier else ''}"


class Act(NamedTuple):
    """Something that happened in a window: from when to when, seconds after the first event was due."""

    name: str
    begin_s: float
    end_s: float


class WindowFound(msgspec.Struct, kw_only=True):
    """What was found. `after` has the latencies of the events that were due in each act and ten seconds after it,
    `gaps_s` by partition the longest time from one answer to the next during the restart; `late` is the driver's."""

    per_s: int
    seconds: float
    with_slow_tier: bool
    whole: Histogram
    after: dict[str, Histogram]
    restart_s: float
    gaps_s: dict[int, float]
    late: Histogram


def measure(stage: Stage, plan: Plan, course: Course, *, tell: Tell) -> WindowFound:
    """One window, on a space of its own. Raises UserError where an event has no answer, where a change does not show in
    the decisions, or where the restart takes far too long."""
    what = f"window at {course.per_s:,}/s{' beside the slow tier' if course.with_slow_tier else ''}"
    with ExitStack() as ends:
        deployment = ends.enter_context(stage.passing_space(course.space, has_context=not course.with_slow_tier))
        if course.with_slow_tier:
            tell(f"{what}: the slow tier starts")
            ends.enter_context(_slow_tier(deployment))
        group = ends.enter_context(Group(deployment))
        group.start(WORKERS, lambda text: tell(f"{what}: {text}"))
        load = ends.enter_context(
            Load(stage.bootstrap, **topics_of(deployment.names)._asdict(), plan=_in_time(plan, course))
        )
        changes = Changes(deployment, stage.release)
        clock = _Clock(load.begin(constant(course.per_s, course.length_s + _OVERTIME_S)), what, course, group, tell)
        acts = list(_acts(clock, course, changes, group))
        clock.wait_until(course.length_s, "until its end")
        load.cut()
        loaded = answered(load.end(), "the workers")
        changes.refuse_unseen()
        return _found(course, loaded, acts, clock.begun_ms)


def _found(course: Course, loaded: Loaded, acts: list[Act], begun_ms: float) -> WindowFound:
    restart = acts[-1]
    return WindowFound(
        per_s=course.per_s,
        seconds=loaded.answers.due_ns.max() / 1e9 - course.warm_up_s,
        with_slow_tier=course.with_slow_tier,
        whole=loaded.latency(course.warm_up_s),
        after={act.name: loaded.latency(act.begin_s, act.end_s + AFTER_S) for act in acts},
        restart_s=restart.end_s - restart.begin_s,
        gaps_s=longest_gaps_s(
            loaded.answers, begin_ms=begun_ms + restart.begin_s * 1_000, end_ms=begun_ms + restart.end_s * 1_000
        ),
        late=loaded.late,
    )


def longest_gaps_s(answers: Answers, *, begin_ms: float, end_ms: float) -> dict[int, float]:
    """By partition the longest time from an answer to the next one by the broker's clock, of those that lie in the
    stretch at least in part: UTC ms."""
    found = {}
    for partition in np.unique(answers.partitions).tolist():
        times: npt.NDArray[np.int64] = np.sort(answers.append_ms[answers.partitions == partition])
        before, after = times[:-1], times[1:]
        gaps_ms = (after - before)[(after >= begin_ms) & (before <= end_ms)]
        found[partition] = int(gaps_ms.max(initial=0)) / 1_000
    return found


class _Clock:
    """Tells how far a window is, and looks after its workers while it waits."""

    def __init__(self, begun_ns: int, what: str, course: Course, group: Group, tell: Tell) -> None:
        self._begun_ns = begun_ns
        self._what, self._course, self._group, self._tell = what, course, group, tell
        self.begun_ms = (time.time_ns() - time.monotonic_ns() + begun_ns) / 1e6
        """When the first event was due by the time of day, UTC."""

    def now_s(self) -> float:
        """Seconds after the first event was due."""
        return (time.monotonic_ns() - self._begun_ns) / 1e9

    def say(self, doing: str) -> None:
        course, now_s = self._course, self.now_s()
        phase = "warm-up" if now_s < course.warm_up_s else f"{now_s - course.warm_up_s:.0f} of {course.seconds:.0f} s"
        self._tell(f"{self._what}, {phase}: {doing}")

    def wait_until(self, time_s: float, doing: str) -> None:
        while (left_s := time_s - self.now_s()) > 0:
            self._group.check_alive()
            self.say(doing)
            time.sleep(min(left_s, _LOOK_EVERY_S))

    def act(self, name: str, do: Callable[[], object], *, lasts: bool = False) -> Act:
        """Does it. What is published is done when the broker has it; what `lasts` has begun with the call."""
        called_s = self.now_s()
        do()
        done_s = self.now_s()
        return Act(name, called_s if lasts else done_s, done_s)


def _acts(clock: _Clock, course: Course, changes: Changes, group: Group) -> Iterator[Act]:
    due_s = course.warm_up_s
    for name, publish in (
        ("new rules", changes.rules),
        ("a new parameter", changes.parameter),
        ("a new model", changes.model),
    ):
        due_s += course.pause_s
        clock.wait_until(due_s, f"until {name}")
        yield clock.act(name, publish)
    clock.wait_until(due_s + course.pause_s, f"until {RESTART}")
    restart = clock.act(RESTART, lambda: group.replace_each(clock.say), lasts=True)
    if restart.end_s > course.length_s + _OVERTIME_S:
        lasted_s = restart.end_s - restart.begin_s
        raise UserError(f"{RESTART} took {lasted_s:.0f} s.", "The machine is too busy to measure on.")
    yield restart


@contextmanager
def _slow_tier(deployment: Deployment) -> Iterator[None]:
    tier = tiers.start_streaming(deployment)
    try:
        tiers.wait_ready(deployment, [tier], _SLOW_TIER_READY_S)
        yield
        tiers.check_alive([tier])
    finally:
        tiers.stop_all([tier], _SLOW_TIER_ENDS_S)


def _in_time(plan: Plan, course: Course) -> Plan:
    """The plan with times that end before they come, since no event may lie ahead; beside the slow tier those at which
    events are sent, since it tells how far it is by them."""
    now_ms = int(time.time() * 1_000)
    if course.with_slow_tier:
        return replace(plan, begin_ms=now_ms, step_ms=1_000 / course.per_s)
    lasts_ms = int(plan.step_ms * (course.per_s * (course.length_s + _OVERTIME_S) + 1))
    return replace(plan, begin_ms=min(plan.begin_ms, now_ms - lasts_ms))
