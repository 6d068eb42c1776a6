import os
import signal

import pytest

from fraudbrain_deploy.interruption import interruptible, undisturbed


def tell(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_way_of_being_told_to_stop_interrupts(number: signal.Signals) -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        tell(number)


def test_cleaning_up_is_not_disturbed_by_the_impatient() -> None:
    cleaned = False
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            tell(signal.SIGINT)
        finally:
            tell(signal.SIGINT)
            tell(signal.SIGTERM)
            cleaned = True
    assert cleaned


def test_a_failure_before_any_signal_is_a_failure() -> None:
    with pytest.raises(TimeoutError), interruptible():
        raise TimeoutError


def test_who_is_interrupted_stays_so_where_the_cleaning_up_fails_and_hears_of_it() -> None:
    with pytest.raises(KeyboardInterrupt) as interrupted, interruptible():
        try:
            tell(signal.SIGTERM)
        finally:
            raise TimeoutError("a process does not end")
    assert isinstance(interrupted.value.__cause__, TimeoutError)


def test_undisturbed_work_is_not_interrupted_and_what_follows_is() -> None:
    with interruptible():
        with undisturbed():
            tell(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            tell(signal.SIGINT)


def test_handlers_are_as_before_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with interruptible(), undisturbed():
        pass
    assert signal.getsignal(signal.SIGTERM) is before
