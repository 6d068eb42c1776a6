"""The package index that the user has configured for pip is the one that uv asks."""

import os
import runpy
from pathlib import Path

import pytest

UV = Path(__file__).resolve().parents[2] / ".ci/uv.py"


@pytest.fixture(autouse=True)
def bare_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))


def uv_environment() -> dict[str, str]:
    environment: dict[str, str] = runpy.run_path(str(UV))["uv_environment"]()
    return environment


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = "[global]\nindex-url = https://file.example/simple\nfind-links =\n    /wheels\n    https://links.example\n"
    (tmp_path / "pip.conf").write_text(file)
    monkeypatch.setenv("PIP_INDEX_URL", "https://environment.example/simple")
    environment = uv_environment()
    assert environment["UV_DEFAULT_INDEX"] == "https://environment.example/simple"
    assert environment["UV_FIND_LINKS"] == "/wheels,https://links.example"


def test_what_is_set_for_uv_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://pip.example/simple")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://uv.example/simple")
    assert uv_environment()["UV_DEFAULT_INDEX"] == "https://uv.example/simple"


def test_what_is_set_nowhere_is_left_to_uv() -> None:
    assert not {"UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS"} & set(uv_environment())
