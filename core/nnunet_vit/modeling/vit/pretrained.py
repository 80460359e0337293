"""What timm knows of the weights that it publishes, by its names."""

from dataclasses import dataclass

import timm

Statistics = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True)
class PublishedWeights:
    """Weights on the model hub.

    Attributes:
        repository: of the hub.
        licence: as timm notes it; empty where it notes none.
        title: architecture and tag.
    """

    repository: str
    licence: str
    title: str


def published_by_timm(name: str) -> PublishedWeights | None:
    """Return what timm publishes under a name, with or without a tag; None: nothing."""
    settings = timm.get_pretrained_cfg(name)
    if settings is None or not settings.hf_hub_id:
        return None
    title = ".".join(part for part in (settings.architecture, settings.tag) if part)
    return PublishedWeights(str(settings.hf_hub_id), settings.license or "", title or name)


def name_of_other_statistics(name: str, known: Statistics) -> str:
    """Return the first name with a tag whose mean and std are not the known ones; or nothing."""
    for tagged in timm.list_pretrained(f"{name}.*"):
        settings = timm.get_pretrained_cfg(tagged)
        if settings is not None and (settings.mean, settings.std) != known:
            return str(tagged)
    return ""
