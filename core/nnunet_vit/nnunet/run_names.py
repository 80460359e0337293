"""The name of a run: of its settings and of the content of its weights."""

import hashlib
import json
import re
from pathlib import Path

from nnunet_vit.checkpoints.provenance import sampled_digest
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.recipe import changed_options
from nnunet_vit.config.recipe_version import AUTO
from nnunet_vit.errors import ModelError
from nnunet_vit.files.digests import known_sha256
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.tuning import method_of

HASHED = {"model", "lora", "train"}  # what makes two runs different results
NOT_HASHED = {  # what changes no result, and may change while a run goes on
    "model": {"checkpoint_path"},
    "train": {
        "save_every",
        "save_whole_model",
        "overlay_every",
        "gradient_checkpointing",
        "gradient_accumulation",
        "compile",
    },
}
CACHE_NOT_HASHED = ("where", "budget_gb")  # of train.feature_cache, for the same reason


def plans_name(run: ViTnnUNetConfig) -> str:
    """Return a name that people can read and that no other configuration has.

    Raises:
        ModelError: the file of weights cannot be read.
    """
    path = run.model.checkpoint_path
    return _name(run, _content(run), weights_digest(Path(path)) if path else "")


def name_where_found(run: ViTnnUNetConfig, folders: Path, pattern: str) -> str:
    """Return the run's name, or the one that an earlier version gave it where only that is there.

    Args:
        run: resolved.
        folders: that holds a folder for each run.
        pattern: of such a folder, with {} in place of the name.
    """
    name = plans_name(run)
    if not run.model.checkpoint_path or (folders / pattern.format(name)).is_dir():
        return name
    older = _older_name(run)
    return older if (folders / pattern.format(older)).is_dir() else name


def readable_part(name: str) -> str:
    """Return a run's name without its digest."""
    return name.rpartition("-")[0]


def weights_digest(path: Path) -> str:
    """Return a digest of a file of weights, or of a snapshot folder, by all that is read of it.

    Of a folder these are the weights and what describes them; a note of the hub's client, a picture
    or the time of a copy changes nothing.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        if not path.is_dir():
            return known_sha256(path)
        lines = [f"{file.name}|{known_sha256(file)}" for file in _files_of(path)]
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}.") from error
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def digest_of(content: object) -> str:
    """Return the sha256 of what JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _files_of(snapshot: Path) -> list[Path]:
    from nnunet_vit.modeling.weights.configs.statistics import CONFIG, NESTED, PROCESSOR
    from nnunet_vit.modeling.weights.files.snapshot import files_of_snapshot

    described = [snapshot / name for name in (CONFIG, NESTED, PROCESSOR)]
    return [*filter(Path.is_file, described), *files_of_snapshot(snapshot)]


def _content(run: ViTnnUNetConfig) -> JsonObject:
    # without defaults: a key that a later version adds does not make another run of this one
    content = _rated_as_named(run).model_dump(
        mode="json", include=HASHED, exclude=NOT_HASHED, exclude_defaults=True
    )
    train = content.get("train", {})
    for section, changed in changed_options(run.train).items():
        if isinstance(train.get(section), dict):  # else the usual one, by its name
            train[section] |= {name: changed[name] for name in train[section] if name in changed}
    for key in CACHE_NOT_HASHED:
        (train.get("feature_cache") or {}).pop(key, None)
    model = content.get("model", {})
    if "vit_patch_size" in model:  # runs were named when the key was called so
        model["patch_size"] = model.pop("vit_patch_size")
    return content


def _rated_as_named(run: ViTnnUNetConfig) -> ViTnnUNetConfig:
    """Return a run whose backbone learns at the head's rate with the default, which it once was."""
    if run.train.backbone_lr is not None:
        return run
    return run.model_copy(update={"train": run.train.model_copy(update={"backbone_lr": AUTO})})


def _older_name(run: ViTnnUNetConfig) -> str:
    """Return the name of before: with a sample of the weights and of all files beside them."""
    content = _content(run)
    content.get("model", {}).pop("backbone_arguments", None)  # it knew none
    return _name(run, content, sampled_digest(Path(run.model.checkpoint_path)))


def _name(run: ViTnnUNetConfig, content: JsonObject, weights: str) -> str:
    if weights:  # the file by its content: it may be moved
        content["weights"] = weights
    content["configuration"] = run.data.configuration
    digest = digest_of(content)[:8]
    name = f"timm:{run.model.repository}" if run.model.repository else run.model.backbone
    backbone = "-".join(part for part in (name, run.model.backbone_size) if part)
    head = run.model.head_name or str(run.model.model_path)
    # nnU-Net splits folder names at double underscores
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", f"{head}-{backbone}-{method_of(run).name}")
    return f"{readable.strip('_')}-{digest}"
