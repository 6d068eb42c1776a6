"""The figures of what controls cost are of records that were really taken."""

from fraudbrain_realtime.controls.bench import contexts, measure, page, parameters
from tests.unit.realtime.controls_of_cards import CARDS, controls


def test_every_record_of_the_bench_is_taken() -> None:
    made = controls()
    for record in (*contexts(CARDS, 20), *parameters(CARDS, 20)):
        made.update(record)
    assert made.problems == ()
    assert (made._context.entities, made._parameters.entities) == (20, 20)


def test_it_says_what_is_kept_and_what_is_opened() -> None:
    costs = measure(CARDS, 20)
    assert [(each.what, each.records) for each in costs.kept] == [("context", 20), ("parameters", 20)]
    assert [each.what for each in costs.opened] == ["8 rules", "a model of 200 trees of depth 6"]
    assert len(page(costs).splitlines()) == 4
