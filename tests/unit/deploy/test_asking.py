import io

import pytest

from fraudbrain_deploy.asking import agreed
from fraudbrain_deploy.errors import UserError


@pytest.mark.parametrize(("answer", "is_yes"), [("y\n", True), (" YES \n", True), ("\n", False), ("n\n", False)])
def test_only_a_yes_is_a_yes(monkeypatch: pytest.MonkeyPatch, answer: str, is_yes: bool) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    assert agreed("Sure?") is is_yes


def test_the_question_leaves_standard_output_to_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    agreed("Sure?")
    assert capsys.readouterr() == ("", "Sure? [y/N] ")


def test_where_nobody_answers_it_is_said_how_a_program_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(UserError, match="--yes"):
        agreed("Sure?")
