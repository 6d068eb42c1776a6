"""Where jars come from: the user's Maven mirror and local repository, as their `settings.xml` says."""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPResponse
from pathlib import Path
from typing import cast
from urllib.error import HTTPError
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import Request, urlopen
from xml.etree import ElementTree

from fraudbrain_deploy.stack.errors import StackError

URL_VARIABLE = "FRAUDBRAIN_MAVEN_URL"


@dataclass(frozen=True, slots=True)
class Repository:
    """A Maven repository; credentials never print."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class MavenSettings:
    """What a `settings.xml` says about central: the mirror to use instead, if any, and the local repository."""

    local: Path
    mirror: Repository | None = None


def remote_repository() -> Repository:
    """$FRAUDBRAIN_MAVEN_URL, else the mirror of central in `~/.m2/settings.xml`, else central itself."""
    if url := os.environ.get(URL_VARIABLE):
        return _with_url_credentials(url)
    return maven_settings().mirror or _central()


def open_file(repository: Repository, path: str, timeout_s: float, method: str = "GET") -> HTTPResponse:
    """Ask a repository for a file; OSError if it does not answer, HTTPError if it declines. The caller closes."""
    request = Request(f"{repository.url.rstrip('/')}/{path}", method=method, headers=dict(repository.headers))
    request.add_header("User-Agent", "fraudbrain")
    try:
        return cast(HTTPResponse, urlopen(request, timeout=timeout_s))
    except HTTPError as error:
        error.close()  # it holds the connection, and may live long as the cause of another error
        raise


def maven_settings(path: Path | None = None) -> MavenSettings:
    """Read `settings.xml` (default `~/.m2/settings.xml`); a missing file means Maven's defaults."""
    path = path or Path.home() / ".m2" / "settings.xml"
    try:
        root = ElementTree.parse(path).getroot()
    except FileNotFoundError:
        return MavenSettings(local=_default_local())
    except ElementTree.ParseError as error:
        raise StackError(f"{path} is not well-formed: {error}. Repair it, or set {URL_VARIABLE}.") from error
    local = _text(root, "localRepository")
    return MavenSettings(local=Path(local) if local else _default_local(), mirror=_mirror_of_central(root))


def _default_local() -> Path:
    return Path.home() / ".m2" / "repository"


def _central() -> Repository:
    from jgo.constants import MAVEN_CENTRAL_URL  # slow to import, and needed only before a download

    return Repository(str(MAVEN_CENTRAL_URL))


def _mirror_of_central(root: ElementTree.Element) -> Repository | None:
    for mirror in root.iterfind("{*}mirrors/{*}mirror"):
        blocked = _text(mirror, "blocked") == "true"
        if not blocked and _mirrors_central(_text(mirror, "mirrorOf")):
            return Repository(_text(mirror, "url"), _credentials(root, _text(mirror, "id")))
    return None


def _mirrors_central(pattern: str) -> bool:
    """Maven's `mirrorOf`: a list of ids and wildcards, where `!central` excludes."""
    names = {name.strip() for name in pattern.split(",")}
    return "!central" not in names and not names.isdisjoint({"central", "*", "external:*"})


def _credentials(root: ElementTree.Element, mirror_id: str) -> dict[str, str]:
    for server in root.iterfind("{*}servers/{*}server"):
        if _text(server, "id") == mirror_id and (user := _text(server, "username")):
            return _basic(user, _text(server, "password"))
    return {}


def _with_url_credentials(url: str) -> Repository:
    parts = urlsplit(url)
    if parts.username is None:
        return Repository(url)
    bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return Repository(bare, _basic(unquote(parts.username), unquote(parts.password or "")))


def _basic(user: str, password: str) -> dict[str, str]:
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def _text(element: ElementTree.Element, name: str) -> str:
    """The text of a child in any version of the settings' namespace, with `${env.X}` and `${user.home}` filled in."""
    text = (element.findtext(f"{{*}}{name}") or "").strip()
    text = text.replace("${user.home}", str(Path.home()))
    return re.sub(r"\$\{env\.(\w+)\}", lambda match: os.environ.get(match[1], ""), text)
