"""The events of the reference work with everything that their rules read, as just before each of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from fraudbrain_shared.admission import Admission, AdmittedEvent, Rejected
from fraudbrain_shared.controls import ParameterBook
from fraudbrain_shared.features import ContextFold, ContextView, EntityStates, Profile, ProfileFold
from fraudbrain_shared.scenario import Scenario, load_scenario
from fraudbrain_shared.scenario.rules import compile_derived
from fraudbrain_shared.scenario.scope import context_reads, profile_reads
from fraudbrain_shared.topics import context_key

_BENCH: Final = Path(__file__).parent.parent
REFERENCE: Final = _BENCH / "reference"
MANY_RULES: Final = _BENCH / "many_rules.toml"
EVENTS: Final = _BENCH / "events.jsonl"
EVENT_TYPE: Final = "payment"


@dataclass(frozen=True, slots=True)
class Case:
    """What the rules are called with for one event."""

    fields: object
    event_time: int
    profile: Sequence[object]
    context: Sequence[object]
    derived: Sequence[object]
    param: Sequence[object]

    @property
    def is_known(self) -> bool:
        """Is nothing unknown? Other engines know no such thing, or mean something else by it."""
        values = (*self.profile, *self.context, *self.derived)
        return all(isinstance(each, int | float | str) for each in values)

    def arguments(self) -> tuple[object, ...]:
        """What the generated functions take, in their order."""
        return self.fields, self.event_time, self.profile, self.context, self.derived, self.param


def reference() -> Scenario:
    """The reference scenario with its 50 rules."""
    return load_scenario(str(REFERENCE))


def read_cases(scenario: Scenario) -> list[Case]:
    """The cases of all events of which nothing is unknown, in the order of the file."""
    admission, folder = Admission(scenario), _Folder(scenario)
    cases = []
    for line in EVENTS.read_bytes().splitlines():
        subject: str = msgspec.json.decode(line)["fields"][scenario.subject]
        event = admission.admit(line, subject.encode(), 2**62)
        if isinstance(event, Rejected):
            raise ValueError(f"{EVENTS}: {event.detail}")
        case = folder.case(subject, event)
        if case.is_known:
            cases.append(case)
    return cases


def named_values(scenario: Scenario, case: Case, paths: Sequence[str]) -> dict[str, object]:
    """What rules read under these paths, such as `event.amount`: for engines that take values by name."""
    kind = scenario.event_types[EVENT_TYPE]
    everything: dict[str, object] = {f"event.{name}": getattr(case.fields, name) for name in kind.fields}
    for beginning, names, values in (
        ("profile", profile_reads(scenario), case.profile),
        ("context", [each.name for each in context_reads(scenario, kind)], case.context),
        ("derived", scenario.derived, case.derived),
        ("param", scenario.parameters, case.param),
    ):
        everything.update({f"{beginning}.{name}": value for name, value in zip(names, values, strict=True)})
    return {path: everything[path] for path in paths}


class _Folder:
    """Folds events into profiles and context, and reads both before each."""

    def __init__(self, scenario: Scenario) -> None:
        self._fold, self._profiles = ProfileFold(scenario), dict[str, Profile]()
        self._context_fold, self._states = ContextFold(scenario), dict[tuple[str, str], EntityStates]()
        self._context = ContextView(scenario)
        self._parameters = ParameterBook(scenario)
        self._derived = compile_derived(scenario, scenario.event_types[EVENT_TYPE])

    def case(self, subject: str, event: AdmittedEvent) -> Case:
        profile = self._profiles.setdefault(subject, Profile(subject))
        fields, time = event.fields, event.event_time
        readings = self._fold.read(profile, event)
        context = self._context.read(event, time).values
        derived = self._derived(fields, time, readings, context)
        made = Case(fields, time, readings, context, tuple(derived), self._parameters.values_for(event))
        self._fold.fold(profile, event)
        self._fold_context(event)
        return made

    def _fold_context(self, event: AdmittedEvent) -> None:
        for each in self._context_fold.of_event(event):
            states = self._states.setdefault((each.entity, each.id), {})
            self._context_fold.add(states, each)
            record = self._context_fold.record(each.entity, each.id, states)
            self._context.update(context_key(each.entity, each.id), msgspec.json.encode(record))
