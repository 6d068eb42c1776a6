"""Rows of profiles: short, bounded, versioned."""

from random import Random
from typing import Any

import msgspec
import pytest

from fraudbrain_shared.features import Profile, ProfileFold, decode_profile, encode_profile, put_to_rest, remember
from fraudbrain_shared.scenario.description import LastValues, Lifetime, Window
from fraudbrain_shared.scenario.profile_state import state_shapes
from fraudbrain_shared.scenario.row_size import row_bytes, worst_case_bytes
from fraudbrain_shared.scenario.scope import profile_reads
from tests.bench.profile_folds import first_events, reference
from tests.parity.features.history import (
    EMPTY,
    FIVE_MINUTES,
    MINUTE,
    NUMBERS,
    QUANTILES,
    T0,
    TEXTS,
    event,
    with_feature,
)

PAID = ("count", "sum", "mean", "min", "last")
SCENARIO = with_feature(EMPTY, "spend", MINUTE, ("count", "sum", "max", "distinct"), value="event.amount")
SCENARIO = with_feature(SCENARIO, "recent", LastValues(3), ("mean", "streak"), value="event.amount")
SCENARIO = with_feature(SCENARIO, "trip", "event.trip", ("last",), value="event.shop")
SCENARIO = with_feature(SCENARIO, "paid", FIVE_MINUTES, PAID, value="event.amount", where="event.online")
SCENARIO = with_feature(SCENARIO, "online", MINUTE, ("count",), where="event.online")
FOLD = ProfileFold(SCENARIO)
# A row as the first release of form 4 wrote it: what it holds must be readable forever, or the form must change.
OLD_ROW = bytes.fromhex(
    "9904a1630329cf0000018bcfe5b62002c44200000000000000647061796c6f61642e018bcfe568007fffffffffffffff70"
    "61796c6f61642e018bcfe5b62000000000000000057061796c6f61642e018bcfe40870c443f12ec048a3f367a32600473c"
    "02d8c39fd50c0080f104feffffffffffffffff0103c4818080808080808004c80178010a5f4bd5af4c0b00010a02a8c49f"
    "d50c0001140292ce48c02ef19399cec886efc9a631306e736864001092ce6553f100ce6553f114930002039300cf800000"
    "0000000063c7090101000000000000006292cf7fffffffffffffffcf7fffffffffffffff92c282cef0fcc894ce6553f100"
    "cefa39909ace6553f11495ce67842c7293cf7fffffffffffffffcf7fffffffffffffff05cf0000018bcfe4087001c394ce"
    "9549cca3a178c29600a2307a0010910092cf0000018bcfe5b620a161"
)
FORM_3_ROW = bytes.fromhex(
    "9803a1630329cf0000018bcfe5b62001c44200000000000000647061796c6f61642e018bcfe568007fffffffffffffff70"
    "61796c6f61642e018bcfe5b62000000000000000057061796c6f61642e018bcfe4087092ce69691a329399cec886efc9a6"
    "31306e736864001092ce6553f100ce6553f114930002039300cf8000000000000063c7090101000000000000006292cf7f"
    "ffffffffffffffcf7fffffffffffffff92c282cef0fcc894ce6553f100cefa39909ace6553f11495ce67842c7293cf7fff"
    "ffffffffffffcf7fffffffffffffff05cf0000018bcfe4087001c394ce9549cca3a178c29600a2307a0010910092cf0000"
    "018bcfe5b620a161"
)
FORM_2_ROW = bytes.fromhex(
    "9802a1630329cf0000018bcfe5b62001c4420000000000000064fffffffffffffff9018bcfe568007fffffffffffffffffff"
    "fffffffffff9018bcfe5b6200000000000000005fffffffffffffff9018bcfe408709399cec886efc9a631306e7368640010"
    "92ce6553f100ce6553f114930002039300cf8000000000000063c7090101000000000000006292cf7fffffffffffffffcf7f"
    "ffffffffffffff92c282cef0fcc894ce6553f100cefa39909ace6553f11495ce67842c7293cf7fffffffffffffffcf7fffff"
    "ffffffffff05cf0000018bcfe4087001c394ce9549cca3a178c29600a2307a0010910092cf0000018bcfe5b620a161"
)
FORM_1_ROW = msgspec.msgpack.encode(
    ["c", 1, 41, T0, 0, [[1], [2], [T0]], {"0123456789abcdef": [[[472222, 2, 900, 400, 500]], 500, T0]}]
)


def payment(time: int, amount: int = 100, **fields: Any) -> Any:
    return event(time, **({"amount": amount, "rate": None, "shop": "a", "trip": "x", "online": True} | fields))


def small_profile() -> Profile:
    profile = Profile("c", epoch=3, last_applied=41)
    for time, amount in ((T0, 100), (T0 + 9_000, 2**63 - 1), (T0 + 20_000, 2**63 - 1), (T0 - 90_000, 5)):
        FOLD.fold(profile, payment(time, amount))
        if time != T0 + 9_000:  # its id comes again
            remember(profile, amount.to_bytes(8), b"payload.", time)
    return profile


def test_an_old_row_reads_as_it_did() -> None:
    profile = decode_profile(OLD_ROW)
    spend, recent, trip = (3, 2**63 - 1, 2**63 - 1, 2), ((2**64 + 3) / 3, 1), ("a",)
    paid, online = (4, 2**63 - 1, (2**64 + 103) / 4, 5, 2**63 - 1), (3,)
    assert FOLD.read(profile, payment(T0 + 20_000)) == (*spend, *recent, *trip, *paid, *online)
    assert (profile.epoch, profile.last_applied, profile.clock) == (3, 41, T0 + 20_000)
    assert profile.late_dropped == 2
    assert encode_profile(profile) == OLD_ROW == encode_profile(small_profile())


def test_a_profile_at_rest_reads_and_goes_on_as_it_did() -> None:
    rested, awake = small_profile(), small_profile()
    row = encode_profile(rested)
    put_to_rest(rested)
    assert rested.states is None
    assert encode_profile(rested) == row
    for profile in (rested, awake):
        FOLD.fold(profile, payment(T0 + 30_000))
    assert FOLD.read(rested, payment(T0 + 40_000)) == FOLD.read(awake, payment(T0 + 40_000))
    assert encode_profile(rested) == encode_profile(awake) != row


@pytest.mark.parametrize(
    "row", [FORM_1_ROW, FORM_2_ROW, FORM_3_ROW, msgspec.msgpack.encode([5, "c", 0, 0, 0, 0, b"", []])]
)
def test_a_row_of_another_form_is_refused_with_what_to_do(row: bytes) -> None:
    with pytest.raises(msgspec.DecodeError, match="fold the events again"):
        decode_profile(row)


@pytest.mark.parametrize("row", [b"", b"\xff", b"{}", msgspec.msgpack.encode(["c"])])
def test_what_is_no_row_is_refused(row: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_profile(row)


def test_a_row_of_five_events_with_thirty_features_is_short() -> None:
    scenario = reference()
    assert len(profile_reads(scenario)) >= 30
    rows = [len(encode_profile(each)) for each in first_events(ProfileFold(scenario), 200, Random(1))]
    assert max(rows) <= 700


def test_no_row_outgrows_what_the_loader_promises() -> None:
    """Values that no sum, no sketch and no list of hops likes, at every pace."""
    scenario = EMPTY
    for number, (length_s, hop_s) in enumerate(((640, 10), (3_600, 60), (5_400, 90), (86_400, 3_600))):
        window = Window(length_s * 1000, hop_s * 1000)
        scenario = with_feature(scenario, f"amount_{number}", window, NUMBERS, value="event.amount")
        scenario = with_feature(scenario, f"rate_{number}", window, NUMBERS, value="event.rate")
    scenario = with_feature(scenario, "life", Lifetime(), (*NUMBERS, *QUANTILES), value="event.amount")
    scenario = with_feature(scenario, "shops", LastValues(50), TEXTS, value="event.shop")
    scenario = with_feature(scenario, "trip", "event.trip", NUMBERS, value="event.rate")
    fold, random, profile, time = ProfileFold(scenario), Random(5), Profile("c" * 64, 2**31, 2**44, 0), T0
    longest = 0
    for number in range(6_000):
        time += random.choice((100, 9_000, 60_000, 3_600_000) if number < 3_000 else (9_000, 10_000))
        amount = random.choice((-1, 1)) * random.getrandbits(random.randrange(1, 63))
        shop = chr(0x10000 + number % 500) * 64
        fold.fold(profile, payment(time, amount, rate=random.uniform(-1e300, 1e300), shop=shop, trip=shop))
        remember(profile, number.to_bytes(8), number.to_bytes(8), time)
        if number % 50 == 0:
            longest = max(longest, len(encode_profile(profile)))
    assert longest <= row_bytes(scenario.profile.values()) <= 4 * longest


def test_features_that_share_a_state_take_no_more_than_apart() -> None:
    features = reference().profile.values()
    assert row_bytes(features) < sum(map(worst_case_bytes, features))
    assert len(state_shapes(features)) == 5


def test_windows_are_whole_seconds() -> None:
    scenario = with_feature(EMPTY, "odd", Window(1_500, 500), ("count",))
    with pytest.raises(ValueError, match=r"profile\.odd: window and hop must be whole seconds"):
        ProfileFold(scenario)
