import base64
from pathlib import Path

import pytest

from fraudbrain_deploy.stack import StackError
from fraudbrain_deploy.stack.maven import maven_settings, remote_repository


def settings_xml(home: Path, content: str, namespace: str = "http://maven.apache.org/SETTINGS/1.2.0") -> None:
    (home / ".m2").mkdir(exist_ok=True)
    (home / ".m2" / "settings.xml").write_text(f'<settings xmlns="{namespace}">{content}</settings>')


def mirror(pattern: str, url: str = "https://mirror.example/maven", extra: str = "") -> str:
    return f"<mirror><id>corp</id><mirrorOf>{pattern}</mirrorOf><url>{url}</url>{extra}</mirror>"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FRAUDBRAIN_MAVEN_URL", raising=False)
    return tmp_path


def test_without_settings_the_local_repository_is_mavens_and_there_is_no_mirror(home: Path) -> None:
    assert maven_settings().local == home / ".m2" / "repository"
    assert maven_settings().mirror is None


def test_without_a_mirror_central_is_what_jgo_carries(home: Path) -> None:
    from jgo.constants import MAVEN_CENTRAL_URL

    assert remote_repository().url == MAVEN_CENTRAL_URL


@pytest.mark.parametrize("pattern", ["central", "*", "external:*", "foo, central", "*,!internal"])
def test_a_mirror_of_central_is_used(home: Path, pattern: str) -> None:
    settings_xml(home, f"<mirrors>{mirror(pattern)}</mirrors>")
    assert remote_repository().url == "https://mirror.example/maven"


@pytest.mark.parametrize("pattern", ["foo", "*,!central", "external:http:*", ""])
def test_a_mirror_of_something_else_is_not(home: Path, pattern: str) -> None:
    settings_xml(home, f"<mirrors>{mirror(pattern)}</mirrors>")
    assert maven_settings().mirror is None


def test_a_blocked_mirror_is_passed_over_and_the_first_other_one_taken(home: Path) -> None:
    blocked = mirror("*", "https://blocked.example", "<blocked>true</blocked>")
    settings_xml(home, f"<mirrors>{blocked}{mirror('*')}{mirror('*', 'https://third.example')}</mirrors>")
    assert remote_repository().url == "https://mirror.example/maven"


@pytest.mark.parametrize("namespace", ["http://maven.apache.org/SETTINGS/1.0.0", ""])
def test_every_version_of_the_namespace_is_read(home: Path, namespace: str) -> None:
    settings_xml(home, "<localRepository>/srv/maven</localRepository>", namespace)
    assert maven_settings().local == Path("/srv/maven")


def test_variables_are_filled_in(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIRROR_HOST", "mirror.example")
    local = "<localRepository>${user.home}/jars</localRepository>"
    settings_xml(home, f"{local}<mirrors>{mirror('*', 'https://${env.MIRROR_HOST}/m')}</mirrors>")
    assert maven_settings().local == home / "jars"
    assert remote_repository().url == "https://mirror.example/m"


def test_the_mirrors_credentials_are_sent_and_never_printed(home: Path) -> None:
    server = "<server><id>corp</id><username>ada</username><password>s3cret</password></server>"
    settings_xml(home, f"<servers>{server}</servers><mirrors>{mirror('*')}</mirrors>")
    repository = remote_repository()
    assert repository.headers == {"Authorization": "Basic " + base64.b64encode(b"ada:s3cret").decode()}
    assert "Basic" not in repr(repository)


def test_the_environment_goes_before_the_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings_xml(home, f"<mirrors>{mirror('*')}</mirrors>")
    monkeypatch.setenv("FRAUDBRAIN_MAVEN_URL", "https://ada:s%40cret@other.example:8443/m")
    repository = remote_repository()
    assert repository.url == "https://other.example:8443/m"
    assert base64.b64decode(repository.headers["Authorization"].split()[1]) == b"ada:s@cret"


def test_settings_that_are_not_xml_are_named(home: Path) -> None:
    (home / ".m2").mkdir()
    (home / ".m2" / "settings.xml").write_text("<settings>")
    with pytest.raises(StackError, match=r"settings\.xml is not well-formed"):
        maven_settings()
