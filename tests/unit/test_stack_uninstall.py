import argparse
from pathlib import Path

import pytest

from fraudbrain_deploy import uninstall
from fraudbrain_deploy.stack import StackError


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "fraudbrain"
    (folder / "jars").mkdir(parents=True)
    (folder / "jars" / "one.jar").write_bytes(bytes(3_000_000))
    return folder


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / ".fraudbrain"
    (folder / "stack").mkdir(parents=True)
    (folder / "stack" / "log").write_bytes(bytes(5_000_000))
    return folder


def run(data: Path, *, yes: bool = True) -> int:
    return uninstall.run(argparse.Namespace(data=data, yes=yes))


def test_cache_and_data_are_named_with_their_sizes_and_removed(
    cache: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data) == 0
    said = capsys.readouterr().out
    assert f"3 MB  {cache}" in said and f"5 MB  {data}" in said
    assert not cache.exists() and not data.exists()


def test_without_a_yes_nothing_is_removed(cache: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert run(data, yes=False) == 1
    assert cache.exists() and data.exists()


def test_nothing_to_remove_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    assert run(tmp_path / ".fraudbrain") == 0


def test_a_folder_that_is_not_ours_is_refused(cache: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "documents"
    foreign.mkdir()
    with pytest.raises(StackError, match="does not look like"):
        run(foreign)
    assert foreign.exists() and cache.exists()


def test_the_home_folder_is_refused_even_if_a_stack_is_in_it(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / "stack").mkdir(parents=True)
    (home / "stack" / "settings.json").write_text("{}")
    monkeypatch.setenv("HOME", str(home))
    with pytest.raises(StackError, match="does not look like"):
        run(home)
