from hypothesis import given, strategies as st

from fraudbrain_realtime.frames import framed, take_frame


@given(st.lists(st.binary(max_size=20), max_size=6), st.integers(1, 30))
def test_messages_are_told_apart_wherever_the_bytes_were_cut(messages: list[bytes], size: int) -> None:
    sent, received, found = b"".join(map(framed, messages)), bytearray(), []
    for at in range(0, len(sent), size):
        received += sent[at : at + size]
        while (message := take_frame(received)) is not None:
            found.append(message)
    assert found == messages
    assert not received
