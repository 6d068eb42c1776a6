"""Evidence is committed alone, and is called stale as soon as what it covers has changed."""

from pathlib import Path

import pytest

from tests.prove import evidence


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "tester")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "tester@example.org")
    evidence.git(tmp_path, "init", "--quiet")
    commit(tmp_path, "shared/code.py")
    return tmp_path


def commit(repository: Path, path: str) -> None:
    file = repository / path
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{file.exists()}")
    evidence.git(repository, "add", ".")
    evidence.git(repository, "commit", "--quiet", "--message", f"Change {path}")


def prove(repository: Path) -> None:
    evidence.write(repository, "claim", "It works", ["shared"], {"works": True})


def test_evidence_is_stale_only_when_what_it_covers_changed(repository: Path) -> None:
    assert evidence.staleness(repository, "claim") == "no evidence yet"
    prove(repository)
    assert evidence.staleness(repository, "claim").startswith("proved")
    commit(repository, "offline/code.py")
    assert evidence.staleness(repository, "claim").startswith("proved")
    commit(repository, "shared/code.py")
    assert "STALE" in evidence.staleness(repository, "claim")
    assert "Change shared/code.py" in evidence.staleness(repository, "claim")
    prove(repository)
    assert evidence.staleness(repository, "claim").startswith("proved")


def test_evidence_is_committed_alone(repository: Path) -> None:
    prove(repository)
    assert not evidence.is_dirty(repository)
    assert evidence.git(repository, "show", "--format=", "--name-only", "HEAD").split() == ["docs/evidence/claim.json"]


def test_evidence_of_a_lost_commit_is_stale(repository: Path) -> None:
    prove(repository)
    file = repository / "docs/evidence/claim.json"
    file.write_text(file.read_text().replace(evidence.head(repository), "").replace('"commit": "', '"commit": "0'))
    assert "not in this repository" in evidence.staleness(repository, "claim")
