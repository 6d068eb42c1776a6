from hypothesis import given, strategies as st

from fraudbrain_realtime.partition import Outstanding


@given(st.permutations(range(8)), st.integers(0, 8))
def test_all_acked_below_an_offset_means_each_of_them(order: list[int], how_many: int) -> None:
    outstanding = Outstanding()
    for offset in range(8):
        outstanding.sent(offset)
    for offset in order[:how_many]:
        outstanding.acked(offset)
    missing = set(order[how_many:])
    for offset in range(9):
        assert outstanding.all_acked_below(offset) == (not any(sent < offset for sent in missing))


def test_nothing_sent_is_all_acked() -> None:
    assert Outstanding().all_acked_below(100)


@given(st.permutations(range(8)), st.permutations(range(8)), st.integers(0, 8))
def test_what_is_sent_out_of_order_is_waited_for_all_the_same(sent: list[int], acked: list[int], how_many: int) -> None:
    outstanding = Outstanding()
    for offset in sent:
        outstanding.sent(offset)
    for offset in acked[:how_many]:
        outstanding.acked(offset)
    missing = set(acked[how_many:])
    for offset in range(9):
        assert outstanding.all_acked_below(offset) == (not any(each < offset for each in missing))
