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
