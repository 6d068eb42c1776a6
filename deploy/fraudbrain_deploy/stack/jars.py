"""The Java parts: a locked list of jars, fetched once per user, verified, kept as three separate class paths."""

import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import partial
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

import msgspec

from fraudbrain_deploy.stack.errors import StackError
from fraudbrain_deploy.stack.maven import URL_VARIABLE, Repository, maven_settings, open_file, remote_repository

CLASS_PATHS = ("kafka", "hbase", "spark_kafka")

_HERE = Path(__file__).parent
_LOCK = _HERE / "jars.json"
_THREADS = 8
_TRIES = 4
_RETRY_WAIT_S = 1.0  # before the second try, then twice as long each time
_SOCKET_TIMEOUT_S = 30.0
_RELOCK_TIMEOUT_S = 900.0
_BLOCK_BYTES = 1 << 18

OnBytes = Callable[[int, int], None]
"""Told of progress as (bytes there, bytes wanted)."""


class Jar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of a Maven repository. `path` is relative to the repository, `size` in bytes."""

    path: str
    sha256: str
    size: int

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


class _Rejected(Exception):
    """A source does not have the jar, or has something else under its name."""


def locked_jars(*class_paths: str) -> list[Jar]:
    """The jars of the named class paths, each once; of all without a name."""
    lock = msgspec.json.decode(_LOCK.read_bytes(), type=dict[str, tuple[Jar, ...]])
    return list({jar.path: jar for name in class_paths or CLASS_PATHS for jar in lock[name]}.values())


def cache_folder() -> Path:
    """Where this user's jars are kept, laid out like a Maven repository."""
    home = os.environ.get("XDG_CACHE_HOME")
    return (Path(home) if home else Path.home() / ".cache") / "fraudbrain" / "jars"


def cached_path(jar: Jar) -> Path:
    """Where a jar is, once it has been fetched."""
    return cache_folder() / jar.path


def class_path(name: str) -> list[Path]:
    """The jars of one class path in the cache; whether they are there is asked with `missing_jars`."""
    return [cached_path(jar) for jar in locked_jars(name)]


def missing_jars(*class_paths: str) -> list[Jar]:
    """What a fetch would have to bring. A jar gets its final name only when verified, so its size is enough here."""
    return [jar for jar in locked_jars(*class_paths) if not _has_size(cached_path(jar), jar)]


def discard_damaged(jars: Iterable[Jar]) -> list[Jar]:
    """Remove cached jars that have changed since they were verified; a fetch then brings them anew."""
    damaged = [jar for jar in jars if cached_path(jar).exists() and sha256_of(cached_path(jar)) != jar.sha256]
    for jar in damaged:
        cached_path(jar).unlink()
    return damaged


def fetch(jars: Iterable[Jar], on_bytes: OnBytes | None = None, *, source: Path | None = None) -> None:
    """Fill the cache with `jars`, from the folder `source` or else from Maven repositories, local before remote.

    Jars that are there are left, so an interrupted fetch goes on where it stopped. StackError if one cannot be had.
    """
    wanted = list(jars)
    missing = [jar for jar in wanted if not _has_size(cached_path(jar), jar)]
    if missing:
        _Fetch(missing, sum(jar.size for jar in wanted), on_bytes, source).run()


def export(folder: Path, jars: Iterable[Jar]) -> None:
    """Write cached jars into `folder`, which then serves `fetch(source=folder)` or as a Maven repository."""
    for jar in jars:
        _place(jar, folder / jar.path, partial(_link_or_copy, cached_path(jar)))


def relock() -> dict[str, int]:
    """For developers: resolve `poms/` with Maven and rewrite `jars.json`; returns the number of jars by class path."""
    lock = {name: _resolve(_HERE / "poms" / f"{name}.xml") for name in CLASS_PATHS}
    _LOCK.write_bytes(msgspec.json.format(msgspec.json.encode(lock), indent=1) + b"\n")
    return {name: len(jars) for name, jars in lock.items()}


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Fetch:
    """One run of downloads side by side; the first failure ends it."""

    def __init__(self, missing: list[Jar], total: int, on_bytes: OnBytes | None, source: Path | None) -> None:
        self._missing = sorted(missing, key=lambda jar: -jar.size)  # the longest first, so that none is left alone
        self._total = total
        self._there = total - sum(jar.size for jar in missing)
        self._on_bytes = on_bytes
        self._source = source
        self._local = maven_settings().local
        self._remote: Repository | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def run(self) -> None:
        pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="fetch")
        try:
            futures = [pool.submit(self._one, jar) for jar in self._missing]
            self._wait_for(futures)
        finally:
            self._stopped.set()
            pool.shutdown(cancel_futures=True)

    def _wait_for(self, futures: list[Future[None]]) -> None:
        pending = set(futures)
        while pending:
            done, pending = wait(pending, timeout=0.5, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()

    def _one(self, jar: Jar) -> None:
        if self._source is not None:
            self._from_folder(jar, self._source)
        elif not self._from_local_repository(jar):
            self._from_remote(jar)
        self._count(jar.size)

    def _from_folder(self, jar: Jar, folder: Path) -> None:
        try:
            _place(jar, cached_path(jar), partial(_link_or_copy, folder / jar.path))
        except (_Rejected, OSError) as error:
            raise StackError(
                f"{folder / jar.path}: {error}. Write the folder anew: `fraudbrain stack fetch --to`, of this version."
            ) from error

    def _from_local_repository(self, jar: Jar) -> bool:
        known = self._local / jar.path
        if not _has_size(known, jar):
            return False
        try:
            _place(jar, cached_path(jar), partial(_link_or_copy, known))
        except (_Rejected, OSError):
            return False  # whatever is wrong with that copy, the download decides
        return True

    def _from_remote(self, jar: Jar) -> None:
        remote = self._repository()
        for attempt in range(1, _TRIES + 1):
            try:
                return _place(jar, cached_path(jar), partial(self._download, remote, jar))
            except (_Rejected, OSError, HTTPException) as error:
                if attempt == _TRIES or self._stopped.is_set() or _is_final(error):
                    raise _not_fetched(jar, remote, error) from error
            self._stopped.wait(_RETRY_WAIT_S * 2 ** (attempt - 1))

    def _repository(self) -> Repository:
        with self._lock:
            self._remote = self._remote or remote_repository()
            return self._remote

    def _download(self, remote: Repository, jar: Jar, target: Path) -> None:
        with open_file(remote, jar.path, _SOCKET_TIMEOUT_S) as reply, target.open("wb") as file:
            size = 0
            while block := reply.read(_BLOCK_BYTES):
                size += len(block)
                if self._stopped.is_set() or size > jar.size:  # no endless reply fills the disk
                    raise _Rejected("interrupted" if size <= jar.size else f"longer than {jar.size} bytes")
                file.write(block)

    def _count(self, size: int) -> None:
        with self._lock:
            self._there += size
            if self._on_bytes:
                self._on_bytes(self._there, self._total)


def _place(jar: Jar, target: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file, verify it, and only then give it its name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{jar.name}.{os.getpid()}.{threading.get_ident()}")
    temporary.unlink(missing_ok=True)
    try:
        write(temporary)
        if (found := sha256_of(temporary)) != jar.sha256:
            raise _Rejected(f"sha256 is {found}, not {jar.sha256}")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _has_size(path: Path, jar: Jar) -> bool:
    try:
        return path.stat().st_size == jar.size
    except OSError:
        return False


def _is_final(error: Exception) -> bool:
    """Whether trying again cannot help: the server said that it has no such file or does not let us in."""
    return isinstance(error, HTTPError) and error.code in {401, 403, 404, 410}


def _not_fetched(jar: Jar, remote: Repository, error: Exception) -> StackError:
    return StackError(
        f"{jar.name} could not be fetched from {remote.url}: {error}. Check the connection; behind a mirror set "
        f"{URL_VARIABLE} or name it in ~/.m2/settings.xml; without internet run `fraudbrain stack fetch --to DIR` on "
        "a machine that has it and `fraudbrain stack fetch --from DIR` here. What is there already is kept."
    )


def _resolve(pom: Path) -> list[Jar]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _maven("-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime",
               f"-DoutputDirectory={folder}", "-Dmdep.useRepositoryLayout=true")  # fmt: skip
        found = sorted(folder.rglob("*.jar"), key=lambda path: path.relative_to(folder).as_posix())
        return [Jar(path.relative_to(folder).as_posix(), sha256_of(path), path.stat().st_size) for path in found]


def _maven(*arguments: str) -> None:
    if shutil.which("mvn") is None:
        raise StackError("relock needs Maven (`mvn` on the PATH). Only developers who change versions need it.")
    done = subprocess.run(
        ["mvn", "-q", "-B", *arguments], check=False, capture_output=True, text=True, timeout=_RELOCK_TIMEOUT_S
    )
    if done.returncode:
        raise StackError(f"Maven could not resolve the jars:\n{done.stdout[-2000:]}")
