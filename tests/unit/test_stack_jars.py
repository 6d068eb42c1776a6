import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fraudbrain_deploy.stack import StackError, jars
from fraudbrain_deploy.stack.jars import Jar


class Server(ThreadingHTTPServer):
    """A Maven repository that notes what it is asked for and answers from a list for each path."""

    answers: dict[str, list[bytes]]
    asked: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        path = self.path.removeprefix("/maven/")
        self.server.asked.append(path)
        answers = self.server.answers.get(path)
        if answers is None:
            return self.send_error(404)
        body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.answers, server.asked = {}, []
        monkeypatch.setenv("FRAUDBRAIN_MAVEN_URL", f"http://127.0.0.1:{server.server_port}/maven")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        monkeypatch.setattr(jars, "_RETRY_WAIT_S", 0.01)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


def jar(content: bytes, name: str = "one") -> Jar:
    return Jar(f"org/example/{name}/1/{name}-1.jar", hashlib.sha256(content).hexdigest(), len(content))


def test_the_committed_list_holds_three_class_paths_with_verified_hashes() -> None:
    assert [len(jars.locked_jars(name)) for name in jars.CLASS_PATHS] == [46, 129, 4]
    assert all(len(bytes.fromhex(jar.sha256)) == 32 and jar.size > 0 for jar in jars.locked_jars())


def test_a_fetched_jar_is_cached_and_not_asked_for_again(server: Server) -> None:
    wanted = jar(b"content")
    server.answers[wanted.path] = [b"content"]
    steps: list[tuple[int, int]] = []
    jars.fetch([wanted], lambda done, total: steps.append((done, total)))
    jars.fetch([wanted])
    assert jars.cached_path(wanted).read_bytes() == b"content"
    assert server.asked == [wanted.path]
    assert steps == [(7, 7)]


@pytest.mark.parametrize("broken", [b"con", b"CONTENT", b"content and more"])
def test_a_corrupted_download_is_never_seen_under_its_name_and_is_tried_again(server: Server, broken: bytes) -> None:
    wanted = jar(b"content")
    server.answers[wanted.path] = [broken, b"content"]
    jars.fetch([wanted])
    assert jars.cached_path(wanted).read_bytes() == b"content"
    assert server.asked == [wanted.path] * 2


def test_what_stays_corrupted_fails_with_its_name_and_leaves_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jars, "_TRIES", 2)
    wanted = jar(b"content")
    server.answers[wanted.path] = [b"CONTENT"]
    with pytest.raises(StackError, match=r"one-1\.jar could not be fetched .*sha256"):
        jars.fetch([wanted])
    assert [path for path in jars.cache_folder().rglob("*") if path.is_file()] == []


def test_a_jar_that_the_repository_lacks_is_asked_for_once(server: Server) -> None:
    wanted = jar(b"content")
    with pytest.raises(StackError, match=r"404.*FRAUDBRAIN_MAVEN_URL"):
        jars.fetch([wanted])
    assert server.asked == [wanted.path]


def test_an_interrupted_fetch_goes_on_where_it_stopped(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "_THREADS", 1)  # the longest goes first, so it is there when the other one fails
    first, second = jar(b"a longer content", "first"), jar(b"content", "second")
    server.answers[first.path] = [b"a longer content"]
    with pytest.raises(StackError):
        jars.fetch([first, second])
    server.answers[second.path] = [b"content"]
    jars.fetch([first, second])
    assert server.asked.count(first.path) == 1


def test_a_jar_of_the_local_maven_repository_is_reused(server: Server, tmp_path: Path) -> None:
    wanted = jar(b"content")
    place(tmp_path / "home" / ".m2" / "repository" / wanted.path, b"content")
    jars.fetch([wanted])
    assert jars.cached_path(wanted).read_bytes() == b"content"
    assert server.asked == []


def test_another_jar_of_that_name_in_the_local_maven_repository_is_not(server: Server, tmp_path: Path) -> None:
    wanted = jar(b"content")
    place(tmp_path / "home" / ".m2" / "repository" / wanted.path, b"CONTENT")
    server.answers[wanted.path] = [b"content"]
    jars.fetch([wanted])
    assert jars.cached_path(wanted).read_bytes() == b"content"


def test_a_folder_carries_the_jars_to_a_machine_without_internet(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = jar(b"content")
    server.answers[wanted.path] = [b"content"]
    jars.fetch([wanted])
    jars.export(tmp_path / "stick", [wanted])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "elsewhere"))
    jars.fetch([wanted], source=tmp_path / "stick")
    assert jars.cached_path(wanted).read_bytes() == b"content"
    assert server.asked == [wanted.path]


def test_a_jar_that_was_damaged_in_the_cache_is_fetched_anew(server: Server) -> None:
    whole, damaged = jar(b"a longer content", "whole"), jar(b"content", "damaged")
    server.answers = {whole.path: [b"a longer content"], damaged.path: [b"content"]}
    jars.fetch([whole, damaged])
    jars.cached_path(damaged).write_bytes(b"CONTENT")
    assert jars.discard_damaged([whole, damaged]) == [damaged]
    jars.fetch([whole, damaged])
    assert jars.cached_path(damaged).read_bytes() == b"content"
    assert server.asked.count(whole.path) == 1


def test_a_folder_that_lacks_a_jar_is_named(server: Server, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"stick.*one-1\.jar.*fetch --to"):
        jars.fetch([jar(b"content")], source=tmp_path / "stick")


def place(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
