"""How deep an event may be nested: the same whoever reads it, and wherever the brackets stand."""

import sys

import pytest
from hypothesis import given, strategies as st

from fraudbrain_shared.admission import MAX_DEPTH, MAX_EVENT_BYTES, Admission, Rejected, is_too_deep
from fraudbrain_shared.records import Reason
from fraudbrain_shared.scenario import load_scenario

ADMISSION = Admission(load_scenario("cards"))
TOO_DEEP = Rejected(Reason.FRAMING, f"nested more than {MAX_DEPTH} deep")
KINDS = {"arrays": ("[", "]", 1), "objects": ('{"a":', "}", 1), "both": ('[{"a":', "}]", 2)}


def event(surplus: str = "0", note: str = "0") -> bytes:
    fields = f'{{"card_id":"c1","terminal_id":"t1","amount":1,"note":{note}}}'
    return f'{{"surplus":{surplus},"event_id":"e","type":"payment","event_time":1,"fields":{fields}}}'.encode()


def nested(kind: str, depth: int) -> str:
    opening, closing, each = KINDS[kind]
    rest = depth % each
    return opening * (depth // each) + "[" * rest + "0" + "]" * rest + closing * (depth // each)


def admitted(value: bytes) -> object:
    return ADMISSION.admit(value, b"c1", 1)


@pytest.mark.parametrize("kind", KINDS)
def test_an_undeclared_field_may_be_so_deep_and_no_deeper(kind: str) -> None:
    for name, outside in (("surplus", 1), ("note", 2)):
        allowed, deeper = (event(**{name: nested(kind, MAX_DEPTH - outside + more)}) for more in (0, 1))
        assert not isinstance(admitted(allowed), Rejected)
        assert admitted(deeper) == TOO_DEEP


@pytest.mark.parametrize("kind", KINDS)
def test_as_deep_as_an_event_can_be_is_no_trouble(kind: str) -> None:
    opening, closing, _ = KINDS[kind]
    most = MAX_EVENT_BYTES // len(opening + closing) - 200
    for text in (opening * most + closing * most, opening * most, opening * most + "0"):
        for value in (event(surplus=text), event(note=text), text.encode()):
            assert admitted(value) == TOO_DEEP


def test_many_brackets_beside_each_other_and_in_texts_are_not_deep() -> None:
    beside = "[" + "[],{}," * 5_000 + "0]"
    text = '"' + '[{\\"' * 5_000 + '"'
    assert not isinstance(admitted(event(surplus=beside)), Rejected)
    assert not isinstance(admitted(event(surplus=text)), Rejected)


def test_the_limit_does_not_depend_on_how_deep_the_stack_of_the_reader_is() -> None:
    def below(frames: int) -> object:
        return below(frames - 1) if frames else admitted(event(surplus=nested("both", MAX_DEPTH - 1)))

    assert not isinstance(below(sys.getrecursionlimit() // 2), Rejected)


def test_too_few_bytes_to_close_them_are_no_json_however_many_they_open() -> None:
    found = admitted(event(surplus="[" * (MAX_DEPTH + 50)))
    assert isinstance(found, Rejected)
    assert (found.reason, found != TOO_DEEP) == (Reason.FRAMING, True)


@given(st.text(alphabet='[]{}"\\a', max_size=40), st.integers(0, MAX_DEPTH))
def test_depth_is_counted_as_one_sign_after_the_other_says(text: str, opened: int) -> None:
    whole = "[" * opened + text + "[" * (MAX_DEPTH - opened + 1)
    assert is_too_deep(whole.encode()) is (deepest(whole) > MAX_DEPTH)


def deepest(text: str) -> int:
    depth = most = 0
    signs = iter(text)
    for sign in signs:
        if sign == '"':
            for inside in signs:
                if inside == "\\":
                    next(signs, "")
                elif inside == '"':
                    break
        depth += (sign in "[{") - (sign in "]}")
        most = max(most, depth)
    return most
