"""Where published weights lie: on this machine, in the hub, or out of reach."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path

from nnunet_vit.backbones import family, is_timm
from nnunet_vit.errors import ModelError
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.modeling.hub.files import HubFile, Pin, commit_of
from nnunet_vit.modeling.weights.files.snapshot import WHOLE

_pins: ContextVar[Mapping[str, Pin] | None] = ContextVar("pins", default=None)


@contextmanager
def pinned_weights(records: Iterable[JsonMapping]) -> Iterator[None]:
    """Take those published weights inside that a training was started from, and no newer ones.

    Args:
        records: as `origin_record` returns them.
    """
    token = _pins.set(
        {str(one["repository"]): Pin(str(one["sha256"]), str(one["commit"])) for one in records}
    )
    try:
        yield
    finally:
        _pins.reset(token)


def origin_record(file: HubFile, path: Path) -> dict[str, str]:
    """Return what a training notes of the published weights that it was started from."""
    from nnunet_vit.files.digests import known_sha256

    return {
        "repository": file.repository,
        "file": file.name,
        "commit": commit_of(path),
        "sha256": known_sha256(path),
    }


def require_published(backbone: str, size: str | None) -> None:
    """Refuse a family whose weights nobody may fetch for its users: they fetch them by hand.

    timm has another's weights under the same name, so this is no small thing.

    Raises:
        ConfigError: unknown family or size.
        ModelError: the family's weights are fetched by hand.
    """
    own = None if is_timm(backbone) else family(backbone)
    if own is not None and not own.fetched:
        raise ModelError(
            f"The weights of {backbone} are not fetched: {own.weights_of(size)}.",
            fix="write the file's path in model.checkpoint_path (or model.pretrained: false for "
            "random weights).",
        )


def published_weights(timm_name: str, repository: str | None = None) -> tuple[HubFile, Path]:
    """Return the published weights of a timm model, fetched if they are not here yet.

    Args:
        timm_name: of the model.
        repository: of the hub, that has them; None: timm's.

    Raises:
        UserError: there are none, or they are not here and cannot be fetched or stored.
    """
    from nnunet_vit.modeling.hub.fetching import obtain

    files = published_files(timm_name, repository)
    pin = (_pins.get() or {}).get(files[0].repository)
    return obtain([replace(file, resumed=pin is not None) for file in files], pin)


def require_reachable(timm_name: str, repository: str | None = None) -> None:
    """Refuse weights that are neither here nor to be had, before any work and within seconds.

    Raises:
        UserError: they are not on this machine and the hub does not offer them.
    """
    from nnunet_vit.modeling.hub.fetching import require

    require(published_files(timm_name, repository))


def published_files(timm_name: str, repository: str | None = None) -> list[HubFile]:
    """Return the hub's files that may hold the published weights of a timm model, best first.

    Raises:
        ModelError: timm knows of none.
    """
    if repository is not None:
        return [HubFile(repository, repository, name) for name in WHOLE]
    from nnunet_vit.modeling.vit.pretrained import published_by_timm

    weights = published_by_timm(timm_name)
    if weights is None:
        raise ModelError(
            f"timm publishes no weights for {timm_name}.",
            fix="model.pretrained: false for random weights, or a file in model.checkpoint_path.",
        )
    return [HubFile(weights.title, weights.repository)]
