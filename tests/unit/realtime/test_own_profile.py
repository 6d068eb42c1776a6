import msgspec
import pytest

from fraudbrain_realtime.rows import WrongEpoch, own_profile
from fraudbrain_shared.features import Profile, encode_profile

OLD = Profile("c1", epoch=3, last_applied=41, clock=7)
ROW = encode_profile(OLD)
FORM_1_ROW = msgspec.msgpack.encode(["c1", 1, 41, 7, 0, [[], [], []], {}])


def test_a_row_of_this_epoch_is_its_subjects_profile() -> None:
    assert own_profile("c1", ROW, epoch=3) == OLD


@pytest.mark.parametrize("row", [ROW, FORM_1_ROW])
def test_a_row_that_an_earlier_epoch_left_is_as_if_absent(row: bytes) -> None:
    assert own_profile("c1", row, epoch=4) == Profile("c1")


def test_a_row_of_a_later_epoch_ends_the_worker() -> None:
    with pytest.raises(WrongEpoch, match="epoch 3 has begun, this worker is of epoch 2"):
        own_profile("c1", ROW, epoch=2)


def test_another_subjects_row_is_never_handed_out() -> None:
    with pytest.raises(RuntimeError, match="another subject's row"):
        own_profile("c2", ROW, epoch=4)


@pytest.mark.parametrize("row", [b"", b"\xff", b"{}", FORM_1_ROW, ROW[:-1]])
def test_what_is_no_profile_of_this_epoch_is_refused_loudly(row: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        own_profile("c1", row, epoch=1 if row == FORM_1_ROW else 3)
