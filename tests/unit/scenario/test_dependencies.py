from fraudbrain_shared.scenario.dependencies import circles, in_order


def test_each_name_stands_after_those_that_it_reads() -> None:
    reads = {"c": {"a", "b"}, "b": {"a"}, "a": {"elsewhere"}}
    assert list(in_order(reads)) == ["a", "b", "c"]
    assert list(circles(reads)) == []


def test_what_waits_for_itself_is_left_out_and_said() -> None:
    reads = {"a": {"a"}, "b": {"c"}, "c": {"d"}, "d": {"b"}, "e": {"d"}, "f": set[str]()}
    assert list(in_order(reads)) == ["f"]
    assert list(circles(reads)) == [["a", "a"], ["b", "c", "d", "b"]]
