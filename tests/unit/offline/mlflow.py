"""A stand-in for MLflow's interface, as far as registering a version asks it."""

from collections import defaultdict
from typing import Any


class FakeApi:
    """MLflow's answers to one registration; `sent` by path, and the `files` that were put there."""

    def __init__(self, url: str) -> None:
        self.sent: dict[str, list[Any]] = defaultdict(list)
        self.files: dict[str, bytes] = {}

    def get(self, path: str, **parameters: str) -> Any:
        return {}

    def post(self, path: str, **body: object) -> Any:
        self.sent[path].append(body)
        info = {"run_id": "1", "artifact_uri": "mlflow-artifacts:/1"}
        return {"experiment_id": "1", "run": {"info": info}, "model_version": {"version": "1"}}

    def upload(self, folder: str, name: str, content: bytes) -> None:
        self.files[name] = content
