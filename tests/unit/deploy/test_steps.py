import pytest

from fraudbrain_deploy.steps import Steps


def test_a_step_is_told_with_its_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps()
    with steps.step("count"):
        pass
    assert capsys.readouterr().out.splitlines() == ["… count", f"✓ count ({steps.seconds['count']} s)"]


def test_a_step_that_fails_is_told_and_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps()
    with pytest.raises(ZeroDivisionError), steps.step("divide"):
        raise ZeroDivisionError
    assert capsys.readouterr().out.splitlines()[-1] == "✗ divide"
    assert steps.seconds == {}
