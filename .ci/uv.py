#!/usr/bin/env python3
"""Run the workspace's uv with the package index that the user has configured for pip.

uv does not read pip's configuration. What is set there is handed on; what is not set, or is set for uv already,
stays as it is.
"""

import ast
import os
import subprocess
import sys
from pathlib import Path

BIN = Path(__file__).resolve().parent.parent / ".venv/bin"
UV_NAMES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "timeout": "UV_HTTP_TIMEOUT",
}
SECTIONS = ["global", "install", ":env:"]  # the later wins, as in pip


def pip_options() -> dict[str, str]:
    """Read pip's options as pip itself would find them; several values are joined by a space."""
    listing = subprocess.run(
        [BIN / "python", "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    )
    found: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    for line in listing.stdout.splitlines():
        key, _, value = line.partition("=")
        section, _, option = key.rpartition(".")
        if section in found:
            found[section][option] = " ".join(ast.literal_eval(value).split())
    return {option: value for section in SECTIONS for option, value in found[section].items()}


def uv_environment() -> dict[str, str]:
    """Build the environment for uv: the user's own, and what only pip was told."""
    handed_on = {UV_NAMES[option]: value for option, value in pip_options().items() if option in UV_NAMES and value}
    if links := handed_on.get("UV_FIND_LINKS"):
        handed_on["UV_FIND_LINKS"] = links.replace(" ", ",")  # uv's other lists are parted by spaces
    if "UV_INDEX" in handed_on:
        # pip takes the best of all indexes, uv the first that has the name; every file is checked by its hash anyway.
        handed_on["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {"UV_PYTHON_DOWNLOADS": "never"} | handed_on | os.environ


if __name__ == "__main__":
    os.execve(BIN / "uv", ["uv", *sys.argv[1:]], uv_environment())
