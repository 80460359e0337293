"""A commented run file to begin with, which is valid as it stands."""

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit import backbones
from nnunet_vit.config.load import load_run
from nnunet_vit.config.model_section import DEFAULT_HEAD, ViTModelConfig
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.recipe_version import WHY_RECIPE
from nnunet_vit.errors import UserError
from nnunet_vit.registry import catalogue

TEXT = """\
# A run of nnunet-vit. Check it: vit_cli validate {name}
# Train it: vit_cli train --config {name}. Keys that are left out have their defaults.
# An editor explains and completes the keys: vit_cli schema -o run.schema.json, and this line first:
#   yaml-language-server: $schema=run.schema.json
recipe: {run.recipe}  # {why_recipe}
data:
  dataset: {dataset}  # id or name, DatasetXXX_Name; null: `vit_cli train DATASET --config {name}`
  configuration: 2d
  fold: 0  # or all, or several in one command: [0, 1, 2, 3, 4]
  # groups: patients.csv  # columns case,group: the cases of a patient stay in one fold
# paths: {{raw: …, preprocessed: …, results: …}}  # else the variables nnUNet_raw and so on
model:
  head: {head}  # {heads}
  backbone: {backbone}  # {families}, or timm:<any ViT of timm>
{size}{weights}  # tuning: lora  # trains adapters in place of the whole backbone
train:
  num_epochs: {run.train.num_epochs}
  num_iterations_per_epoch: {run.train.num_iterations_per_epoch}
  initial_lr: {run.train.initial_lr}
  batch_size: null  # null: `train` plans it for the dataset and the memory
  patch_size: null  # [H, W] in pixels; null: planned likewise
  seed: null  # a number makes the run repeatable
"""


@dataclass(frozen=True)
class Wanted:
    """What the run file is to say.

    Attributes:
        head: an installed one; None: the usual one.
        backbone: a family or timm:<name>; None: the usual one.
        checkpoint_path: a file of weights, or nothing.
        dataset: id or name, or None.
    """

    head: str | None = None
    backbone: str | None = None
    checkpoint_path: str = ""
    dataset: str | None = None


def starter_text(wanted: Wanted, name: str) -> str:
    """Return the run file's text.

    Args:
        wanted: what it is to say.
        name: of the file, for the commands in it.

    Raises:
        UserError: a name is unknown, or the backbone's weights have to be given.
    """
    usual = ViTModelConfig()
    backbone = wanted.backbone or usual.backbone
    heads = list(catalogue.installed(catalogue.HEADS))
    known = [*backbones.own_families(), *catalogue.installed(catalogue.BACKBONES)]
    weights = f"  checkpoint_path: {_quoted(wanted.checkpoint_path)}\n"
    text = TEXT.format(
        name=name,
        dataset="null" if wanted.dataset is None else _dataset(wanted.dataset),
        head=_quoted(wanted.head or DEFAULT_HEAD),
        heads=", ".join(heads) or "none",
        backbone=_quoted(backbone),
        families=", ".join(known),
        size=_size(backbone),
        weights=weights if wanted.checkpoint_path else "",
        run=ViTnnUNetConfig(),
        why_recipe=WHY_RECIPE,
    )
    _require_valid(text)
    return text


def _size(backbone: str) -> str:
    """Return the line of the size; a timm name holds its own."""
    try:
        family = None if backbones.is_timm(backbone) else backbones.family(backbone)
    except UserError:  # refused when the text is read
        return ""
    if family is None:
        return ""
    return f"  backbone_size: {family.default_size}  # {', '.join(family.sizes)}\n"


def _dataset(given: str) -> str:
    return str(int(given)) if given.isascii() and given.isdigit() else _quoted(given)


def _quoted(value: str) -> str:
    """Return a string as YAML has it in double quotes where it is not plain."""
    plain = value.replace("_", "").replace("-", "").replace(".", "").isalnum()
    if plain and value.isascii() and value[:1].isalpha():
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _require_valid(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.yaml"
        path.write_text(text, encoding="utf-8")
        try:
            load_run(path)
        except UserError as error:
            # of a file that is not written: its lines would tell nothing
            shown = re.sub(rf"{re.escape(str(path))}(, line \d+, )?", "", error.problem)
            raise type(error)(shown, error.fix) from error
