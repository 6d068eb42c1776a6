"""An object in a process of its own: whatever happens there is heard of here, and nobody waits for ever."""

import os
import time

import pytest

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load.remote import Remote

LONG_S = 60.0


def test_its_methods_are_called_there_one_after_the_other() -> None:
    with Remote(list, "abc") as remote:
        remote.wait_until_made()
        for expected in ("c", "b", "a"):
            remote.call("pop")
            assert remote.answer(LONG_S) == expected
        remote.call("pop")
        with pytest.raises(UserError, match="IndexError: pop from empty list"):
            remote.answer(LONG_S)
        remote.call("__len__")
        assert remote.answer(LONG_S) == 0


def test_what_cannot_be_made_says_why() -> None:
    with pytest.raises(UserError, match=r"ValueError: .*'x'"), Remote(int, "x") as remote:
        remote.wait_until_made()


def test_a_process_that_dies_is_noticed() -> None:
    with pytest.raises(UserError, match="ended by itself"), Remote(os._exit, 3) as remote:
        remote.wait_until_made()


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever() -> None:
    with pytest.raises(UserError, match="no answer in 0 s"), Remote(time.sleep, LONG_S) as remote:
        remote.answer(0)
