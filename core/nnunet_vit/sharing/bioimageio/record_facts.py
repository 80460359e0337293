"""What the people who share a model say of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.sharing.opened_model import OpenedModel

LONGEST = 128  # of a name, which has five letters at least
OTHER_LETTERS = re.compile(r"[^A-Za-z0-9_+\- ()]+")
CITED = {
    "text": "Isensee et al. (2021): nnU-Net, a self-configuring method for deep learning-based "
    "biomedical image segmentation. Nature Methods 18.",
    "doi": "10.1038/s41592-020-01008-z",
}


@dataclass(frozen=True)
class RecordFacts:
    """Options of the command line that a record needs and no model knows.

    Attributes:
        authors: their names.
        licence: of the model, by its SPDX identifier.
        title: of the record; empty: dataset, head and backbone.
        example: files of an image for test tensors and cover; none: one is drawn.
    """

    authors: Sequence[str] = ()
    licence: str = ""
    title: str = ""
    example: Sequence[Path] = ()


def check_facts(facts: RecordFacts) -> None:
    """Refuse a record without an author or licence; names all that is missing.

    Raises:
        ConfigError: something is missing, or is no name or licence.
    """
    missing = [
        option
        for option, value in (("--author", facts.authors), ("--licence", facts.licence))
        if not value
    ]
    if missing:
        raise ConfigError(
            f"A record needs {' and '.join(missing)}.",
            fix="--author 'Your Name' --licence CC-BY-4.0, or another SPDX identifier.",
        )
    if any("/" in name or "\\" in name or not name.strip() for name in facts.authors):
        raise ConfigError(
            "--author: a name without / and \\ is needed.", fix="--author 'Your Name'"
        )
    if facts.title and (OTHER_LETTERS.search(facts.title) or not 5 <= len(facts.title) <= LONGEST):
        raise ConfigError(
            f"--title {facts.title}: 5 to {LONGEST} letters, digits, spaces and _+-() are allowed.",
            fix="another --title, or none: it is made of dataset, head and backbone.",
        )


def title_of(opened: OpenedModel, facts: RecordFacts) -> str:
    """Return the record's name."""
    model, plans = opened.folder.run.model, opened.folder.plans
    named = f"{plans['dataset_name']} {model.head or model.model_path} {model.backbone}"
    return facts.title or OTHER_LETTERS.sub(" ", named)[:LONGEST].strip()


def described_by(opened: OpenedModel, facts: RecordFacts) -> JsonObject:
    """Return names, licence and tags of a record."""
    model, labels = opened.folder.run.model, opened.model.labels
    classes = [name for name in opened.model.description["labels"] if name != "ignore"]
    kind = "regions" if labels.has_regions else "classes"
    return {
        "name": title_of(opened, facts),
        "description": (
            f"Semantic segmentation of 2D images into {kind} {', '.join(classes)}, trained by "
            f"nnU-Net's pipeline with the head {model.head or model.model_path} on the ViT "
            f"{model.backbone}."
        )[:1000],
        "authors": [{"name": name.strip()} for name in facts.authors],
        "license": facts.licence,
        "tags": ["semantic-segmentation", "nnunet", "vision-transformer", "2d", "onnx"],
        "cite": [CITED],
    }
