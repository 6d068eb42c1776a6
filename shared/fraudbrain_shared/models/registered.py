"""How a deployment's releases are called in the model registry, for whoever writes, promotes or lists them."""

from typing import Final

CHAMPION: Final = "champion"
"""The alias of the version that is to decide. Setting it is the push; setting it back is the rollback."""

SHA256: Final = "fraudbrain.sha256"
"""Tag of a version: the hash that its release carries, since the registry keeps none of its files."""

RELEASE: Final = "fraudbrain.release"
"""Tag of a version: the release's own version, which stands on every decision made with it."""

PUBLISHED: Final = "fraudbrain.published"
"""Tag of a version: when it was last published, UTC milliseconds."""

REFUSED: Final = "fraudbrain.refused"
"""Tag of a version: why it must not be used. It is not tried again while it has the tag."""

METRIC: Final = "fraudbrain.metric."
"""Beginning of a version's tags that hold how it did in validation, such as `fraudbrain.metric.average_precision`."""


def model_name(space: str) -> str:
    """The registered model of a deployment, such as `fraudbrain.cards`."""
    return f"fraudbrain.{space}"
