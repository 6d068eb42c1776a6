"""MLflow's REST interface: one call, one answer. Importing its own client would take six seconds, and a run of
training makes ten calls.

Reference: https://mlflow.org/docs/latest/api_reference/rest-api.html
"""

import json
from typing import Any, Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

_TIMEOUT_S: Final = 30.0
_LOOPBACK: Final = {"127.0.0.1", "localhost", "::1"}


class RegistryProblem(Exception):
    """MLflow cannot be reached, or refuses what it is asked. `code` is MLflow's own word for why, if it gave one."""

    def __init__(self, what: str, code: str = "") -> None:
        super().__init__(what)
        self.code: Final = code


class MlflowApi:
    """One MLflow server. Every call ends after 30 s of silence; each raises RegistryProblem."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        is_local = urlsplit(url).hostname in _LOOPBACK
        self._opener: OpenerDirector = build_opener(ProxyHandler({})) if is_local else build_opener()

    def get(self, path: str, **parameters: str) -> Any:
        """The answer of an endpoint of the group `mlflow`."""
        return json.loads(self._send("GET", f"mlflow/{path}?{urlencode(parameters)}"))

    def post(self, path: str, **body: object) -> Any:
        """The answer to a change."""
        return json.loads(self._send("POST", f"mlflow/{path}", json.dumps(body).encode(), "application/json"))

    def upload(self, folder: str, name: str, content: bytes) -> None:
        """Puts a file into an artifact folder, whose address begins with `mlflow-artifacts:`."""
        self._send("PUT", _artifact(folder, name), content, "application/octet-stream")

    def download(self, folder: str, name: str) -> bytes:
        return self._send("GET", _artifact(folder, name))

    def _send(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> bytes:
        request = Request(f"{self._url}/api/2.0/{path}", data=body, method=method)
        if kind:
            request.add_header("Content-Type", kind)
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                content: bytes = answer.read()
                return content
        except HTTPError as error:
            with error:
                raise _refusal(path, error) from None
        except (URLError, OSError) as error:
            raise RegistryProblem(f"MLflow at {self._url} cannot be reached: {error}") from None


def _artifact(folder: str, name: str) -> str:
    parts = urlsplit(folder)
    if parts.scheme != "mlflow-artifacts":
        raise RegistryProblem(
            f"artifacts at {folder} are not served by MLflow itself: start its server with --artifacts-destination"
        )
    return f"mlflow-artifacts/artifacts/{quote(parts.path.strip('/'))}/{quote(name)}"


def _refusal(path: str, error: HTTPError) -> RegistryProblem:
    try:
        told = json.loads(error.read())
        code, message = str(told["error_code"]), str(told["message"])
    except (ValueError, KeyError, TypeError, OSError):
        code, message = "", error.reason
    return RegistryProblem(f"MLflow refuses {path.partition('?')[0]}: {error.code} {message}", code)
