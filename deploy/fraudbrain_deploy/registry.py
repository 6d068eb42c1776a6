"""The model registry as operators see it: versions, which of them is the champion, and moving that alias.

Plain HTTP to MLflow: importing its client takes six seconds.
"""

import json
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.models.registered import CHAMPION, METRIC, PUBLISHED, REFUSED, RELEASE, model_name

_TIMEOUT_S: Final = 15.0


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """A registered model. `number` is the registry's, `release` stands on decisions; `published_ms` is when
    it last went onto the topic, `refused` why it did not."""

    number: int
    release: str
    is_champion: bool
    published_ms: int | None = None
    refused: str | None = None
    metrics: dict[str, float] = {}


class Registry:
    """The versions of a deployment's model. Raises UserError where MLflow is away or refuses."""

    def __init__(self, deployment: Deployment) -> None:
        self._url = deployment.stack.mlflow_url
        self._model = model_name(deployment.names.space)
        self._opener = build_opener(ProxyHandler({}))  # the stack is on loopback

    def versions(self) -> list[Version]:
        """All versions, the newest first."""
        champion = self._champion()
        page = {"filter": f"name='{self._model}'", "max_results": "200", "order_by": "version_number DESC"}
        found: list[Version] = []
        while True:
            answer = self._call("GET", f"model-versions/search?{urlencode(page)}")
            found += [_version(each, champion) for each in answer.get("model_versions", ())]
            if not (token := answer.get("next_page_token")):
                return found
            page["page_token"] = token

    def set_champion(self, version: Version) -> None:
        """Moves the alias; a version that was refused before gets another chance."""
        about = {"name": self._model, "version": str(version.number)}
        if version.refused is not None:
            self._call("DELETE", "model-versions/delete-tag", about | {"key": REFUSED})
        self._call("POST", "registered-models/alias", about | {"alias": CHAMPION})

    def _champion(self) -> str | None:
        """The number that the alias names; None if there is no such model or nobody has set it."""
        asked = urlencode({"name": self._model, "alias": CHAMPION})
        answer = self._call("GET", f"registered-models/alias?{asked}", absent=(400, 404))
        return str(answer["model_version"]["version"]) if answer else None

    def _call(self, method: str, path: str, body: dict[str, str] | None = None, absent: tuple[int, ...] = ()) -> Any:
        """The answer; None if its code is one of `absent`."""
        content = None if body is None else json.dumps(body).encode()
        request = Request(f"{self._url}/api/2.0/mlflow/{path}", content, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                return json.load(answer)
        except HTTPError as error:
            with error:
                if error.code in absent:
                    return None
                raise UserError(f"MLflow refuses {path.partition('?')[0]}: {error.code} {error.reason}") from None
        except (OSError, HTTPException, ValueError) as error:
            raise UserError(
                f"MLflow at {self._url} does not answer: {error}", "Start it with `fraudbrain stack up mlflow`."
            ) from None


def _version(found: Any, champion: str | None) -> Version:
    tags = {tag["key"]: tag["value"] for tag in found.get("tags", ())}
    published = tags.get(PUBLISHED)
    return Version(
        number=int(found["version"]),
        release=tags.get(RELEASE, ""),
        is_champion=str(found["version"]) == champion,
        published_ms=int(published) if published else None,
        refused=tags.get(REFUSED),
        metrics={key.removeprefix(METRIC): float(value) for key, value in tags.items() if key.startswith(METRIC)},
    )
