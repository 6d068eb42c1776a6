"""The built-in scenario of rides: what each of its rules finds, and what looks like it and is nothing."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from fraudbrain_shared.admission import Admission, AdmittedEvent, Rejected
from fraudbrain_shared.decisions.decide import DecisionCore, Origin
from fraudbrain_shared.features import Profile, ProfileFold
from fraudbrain_shared.records import Decision, RuleSet, Source
from fraudbrain_shared.scenario import load_scenario

RIDES = load_scenario("rides")
FOLD = ProfileFold(RIDES)
CORE = DecisionCore(RIDES, RuleSet("v", RIDES.rules, RIDES.policy), Origin("test", 1, "test"), FOLD)
ADMISSION = Admission(RIDES)
START_S = 1_782_907_200
EVERY_S = 10
STEP_M = 83.0  # in ten seconds: 30 km/h
DEGREE_M = 111_195.0


@dataclass
class Driver:
    """One driver's log: pings and trips in order, each decided or folded as the fast tier does."""

    profile: Profile = field(default_factory=lambda: Profile("d1"))
    at_s: int = START_S
    events: int = 0
    trips: int = 0

    def _happens(self, kind: str, **fields: Any) -> AdmittedEvent:
        self.events += 1
        event = {"event_id": f"e{self.events}", "type": kind, "event_time": self.at_s * 1_000}
        body = json.dumps({**event, "fields": {"driver_id": "d1", "trip_id": f"t{self.trips}", **fields}})
        admitted = ADMISSION.admit(body.encode(), b"d1", self.at_s * 1_000)
        assert not isinstance(admitted, Rejected), admitted
        return admitted

    def pings(self, track: Iterable[tuple[float, float, float]]) -> None:
        """Each is: seconds since the one before, metres to the north of the start, metres on the odometer."""
        for seconds, north_m, odometer_m in track:
            self.at_s += round(seconds)
            latitude = 40.0 + north_m / DEGREE_M
            ping = self._happens("gps_ping", latitude=latitude, longitude=-3.7, odometer_m=round(odometer_m))
            FOLD.fold(self.profile, ping)

    def trip(self, **claims: Any) -> Decision:
        """Ends the trip, and decides it: 10 km in 20 minutes for 20.50, unless something else is claimed."""
        usual = {
            **{"rider_id": f"r{self.trips}", "region": "centre", "started": (self.at_s - 1_200) * 1_000},
            **{"took": 1_200_000, "distance_km": 10.0, "fare": 2_050, "payment": "card"},
        }
        event = self._happens("trip_completed", **{**usual, **claims})
        decision = CORE.decide(event, self.profile, Source(0, 0, self.events, event.event_time))
        FOLD.fold(self.profile, event)
        self.trips += 1
        self.at_s += 600
        return decision


def ride(pings: int = 120, start_m: float = 0.0) -> Iterator[tuple[float, float, float]]:
    """A car that drives straight on; no receiver is exact, so that each place has an error of its own."""
    for ping in range(pings):
        error_m = 3.0 * ((ping * 7) % 5 - 2)
        yield EVERY_S, start_m + ping * STEP_M + error_m, start_m + ping * STEP_M


def findings(track: Iterable[tuple[float, float, float]], **claims: Any) -> tuple[str, ...]:
    driver = Driver()
    driver.pings(track)
    return driver.trip(**claims).findings


def test_an_honest_trip_is_approved() -> None:
    driver = Driver()
    driver.pings(ride())
    decision = driver.trip()
    assert (decision.outcome, decision.findings, decision.failed, decision.degraded) == ("approve", (), (), ())


def test_a_trip_without_pings_is_decided() -> None:
    assert Driver().trip().outcome == "approve"


def test_a_teleport_fires_and_a_tunnel_does_not() -> None:
    there = [*ride(60), *((EVERY_S, 20_000 + north, odometer) for _, north, odometer in ride(60, 60 * STEP_M))]
    assert findings(there) == ("teleport",)
    tunnel = [*ride(60), (120, 7_500, 7_500), *ride(30, 7_500)]
    assert findings(tunnel) == ()


def test_a_leap_from_one_trip_to_the_next_is_none() -> None:
    driver = Driver()
    driver.pings(ride())
    assert driver.trip().findings == ()
    driver.pings((seconds, 50_000 + north, odometer) for seconds, north, odometer in ride())
    assert driver.trip().findings == ()


def test_a_frozen_position_fires_and_a_jam_does_not() -> None:
    at_m, metres = 60 * STEP_M, 60 * STEP_M
    frozen = [*ride(60), *((EVERY_S, at_m, metres + ping * STEP_M) for ping in range(8)), *ride(60, at_m + 8 * STEP_M)]
    assert "frozen_position" in findings(frozen)
    trembling = ((EVERY_S, at_m + ping % 3, metres + ping * 2) for ping in range(60))
    assert findings([*ride(60), *trembling, *ride(60, at_m + 120)], took=1_800_000) == ()
    standing = ((EVERY_S, at_m, metres) for _ in range(60))
    assert findings([*ride(60), *standing, *ride(60, at_m)], took=1_800_000) == ()


def test_places_that_repeat_fire_and_a_slow_trip_does_not() -> None:
    around = [(EVERY_S, (ping % 6) * 300.0, ping * 300.0) for ping in range(120)]
    assert "repeated_places" in findings(around)
    waiting = [(EVERY_S, float(ping % 6), float(ping)) for ping in range(120)]
    assert "repeated_places" not in findings(waiting, distance_km=0.5)


def test_an_overstated_distance_fires_and_a_bent_road_does_not() -> None:
    assert findings(ride(), distance_km=20.0, took=2_400_000, fare=3_000) == ("overstated_distance",)
    assert findings(ride(), distance_km=12.0) == ()


def test_a_fare_above_what_distance_and_time_cost_fires_and_a_busy_evening_does_not() -> None:
    assert findings(ride(), fare=9_000) == ("fare_above_expected",)
    assert findings(ride(), fare=3_400) == ()


def test_a_fare_above_the_drivers_own_fires_and_a_dear_one_does_not() -> None:
    driver = Driver()
    for _ in range(25):
        assert driver.trip().findings == ()
    assert driver.trip(distance_km=1.0, fare=500).findings == ()
    assert driver.trip(distance_km=1.0, fare=900).findings == ("fare_above_usual",)


def test_one_rider_again_and_again_fires_and_many_riders_do_not() -> None:
    driver = Driver()
    assert [driver.trip(rider_id="friend").findings for _ in range(6)] == [(), (), (), (), (), ("same_rider_again",)]
    assert driver.trip(rider_id="other").findings == ()
    assert [driver.trip(rider_id=f"r{ride % 2}").findings for ride in range(8)] == [()] * 8


def test_promotions_on_a_trip_paid_in_cash_fire_and_paid_by_card_do_not() -> None:
    promotions = ["NEW", "FRIEND", "MAY"]
    assert Driver().trip(payment="cash", promotions=promotions).findings == ("many_promotions",)
    assert Driver().trip(payment="card", promotions=promotions).findings == ()
    assert Driver().trip(payment="cash", promotions=promotions[:2]).findings == ()
    assert Driver().trip(payment="cash").unknown == ("many_promotions",)
