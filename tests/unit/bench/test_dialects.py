import pytest

from fraudbrain_deploy.bench.rules.dialects import CEL, ZEN, node_count, translated


@pytest.mark.parametrize(
    ("text", "zen", "cel"),
    [
        ("event.amount > param.limit", "(event_amount > param_limit)", "(event_amount > param_limit)"),
        (
            "event.a && (!event.b || event.c)",
            "(event_a and ((not event_b) or event_c))",
            "(event_a && (!event_b || event_c))",
        ),
        (
            "event.mail.endsWith('.xyz') ? 1 : 2",
            "(endsWith(event_mail, '.xyz') ? 1 : 2)",
            "(event_mail.endsWith('.xyz') ? 1 : 2)",
        ),
        ("double(event.a) in [1.5, 2.0]", "(event_a in [1.5, 2.0])", "(double(event_a) in [1.5, 2.0])"),
        ("context.terminal_id.fraud_7d_count == 0", "(context_terminal_id_fraud_7d_count == 0)", None),
    ],
)
def test_a_rule_is_said_in_the_words_of_each_engine(text: str, zen: str, cel: str | None) -> None:
    assert translated(text, ZEN) == zen
    assert translated(text, CEL) == (cel or zen)


def test_what_an_engine_has_no_word_for_is_an_error() -> None:
    with pytest.raises(KeyError, match="known"):
        translated("known(event.a)", ZEN)


def test_nodes_are_operators_names_and_constants() -> None:
    assert node_count("event.amount > param.limit") == 3
    assert node_count("event.a && event.b && !event.c") == 5
    assert node_count("event.mcc in [1, 2, 3]") == 3
