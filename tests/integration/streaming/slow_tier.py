"""The slow tier as its own process, started, watched, stopped and killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import psutil

from fraudbrain_deploy import kafka
from fraudbrain_deploy.stack import StackSettings, java_environment, spark_jars
from fraudbrain_shared.records import Progress
from fraudbrain_shared.topics import Names

TILL = Path(__file__).parent / "till"
TOPICS = ("events", "decisions", "labels", "dead-letters")
START_S = 240.0  # alone it takes 20; the machine may be busy


@dataclass
class SlowTier:
    """One application at a time over one space; every start appends to `log`."""

    stack: StackSettings
    names: Names
    folder: Path
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    seen: int = field(default=0, init=False)

    @property
    def lake(self) -> Path:
        return self.folder / "lake"

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def start(self, records_per_batch: int) -> None:
        host, port = self.stack.thrift_address
        options = {
            "--scenario": TILL,
            "--space": self.names.space,
            "--bootstrap": self.stack.kafka_bootstrap,
            "--thrift": f"{host}:{port}",
            "--lake": self.lake,
            "--checkpoints": self.checkpoints,
            "--jars": ",".join(map(str, spark_jars())),
            "--trigger": "100ms",
            "--records-per-batch": records_per_batch,
        }
        flat = [str(each) for pair in options.items() for each in pair]
        self.seen = len(self.told())
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fraudbrain_streaming", "run", *flat],
                env=os.environ | java_environment(self.stack),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def told(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def batches(self) -> int:
        """How many batches this start has filed."""
        return self.told_since_start().count(": archive batch=")

    def told_since_start(self) -> str:
        return self.told()[self.seen :]

    def wait(self, done: Callable[[], bool], *, every_s: float) -> None:
        deadline = time.monotonic() + START_S
        while not done():
            assert self.process is not None
            assert self.process.poll() is None, self.told()[-3000:]
            assert time.monotonic() < deadline, self.told()[-3000:]
            time.sleep(every_s)

    def stop(self) -> int:
        """Signals the whole process group, as an operator's shell does; the exit code."""
        process, jvms = self._processes()
        os.killpg(process.pid, signal.SIGTERM)
        code = process.wait(60)
        psutil.wait_procs(jvms, 15)
        assert not any(jvm.is_running() for jvm in jvms)
        return code

    def kill(self) -> None:
        """Kill -9 of the Python process alone: the JVM must notice by itself."""
        process, jvms = self._processes()
        process.kill()
        process.wait(10)
        _, alive = psutil.wait_procs(jvms, 30)
        assert not alive

    def end(self) -> None:
        """Leave nothing running, whatever happened."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)

    def _processes(self) -> "tuple[subprocess.Popen[bytes], list[psutil.Process]]":
        assert self.process is not None
        return self.process, psutil.Process(self.process.pid).children(recursive=True)

    def progress(self) -> Progress | None:
        """The last that the archive published."""
        told = kafka.read_all(self.stack.kafka_bootstrap, self.names.topic("progress"))
        value = {each.key(): each.value() for each in told}.get(b"streaming|archive")
        return msgspec.json.decode(value, type=Progress) if value else None

    def ends(self) -> Mapping[str, Mapping[str, int]]:
        bootstrap = self.stack.kafka_bootstrap
        return {
            name: {str(number): end for number, end in kafka.end_offsets(bootstrap, self.names.topic(name)).items()}
            for name in TOPICS
        }

    def at_the_ends(self) -> bool:
        progress = self.progress()
        return progress is not None and progress.offsets == self.ends()
