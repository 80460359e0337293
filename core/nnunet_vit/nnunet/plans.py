"""The run's own plans: a copy of the dataset's with the run's network, name and sizes inside.

nnU-Net stores plans beside the model and rebuilds the network from them, so this file is what makes
a run trainable, predictable and shareable with stock nnU-Net.
"""

import copy
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from nnunet_vit import __version__
from nnunet_vit.checkpoints.record import sampled_digest
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.nnunet.planning import PLANS
from nnunet_vit.tuning import method_of

KEY = "nnunet_vit"
HASHED = {"model", "lora", "train"}  # what makes two runs different results
NOT_HASHED = {  # what changes no result, and may change while a run goes on
    "model": {"checkpoint_path"},
    "train": {
        "save_every",
        "save_whole_model",
        "gradient_checkpointing",
        "gradient_accumulation",
    },
}


def plans_name(run: ViTnnUNetConfig) -> str:
    """Return a name that people can read and that no other configuration has."""
    # without defaults: a key that a later version adds does not make another run of this one
    content = run.model_dump(mode="json", include=HASHED, exclude=NOT_HASHED, exclude_defaults=True)
    if run.model.checkpoint_path:  # the file by its content: it may be moved
        content["weights"] = sampled_digest(Path(run.model.checkpoint_path))
    content["configuration"] = run.data.configuration
    digest = digest_of(content)[:8]
    name = f"timm:{run.model.repository}" if run.model.repository else run.model.backbone
    backbone = "-".join(part for part in (name, run.model.backbone_size) if part)
    head = run.model.head_name or str(run.model.model_path)
    # nnU-Net splits folder names at double underscores
    readable = re.sub(r"[^A-Za-z0-9-]+", "_", f"{head}-{backbone}-{method_of(run).NAME}")
    return f"{readable.strip('_')}-{digest}"


def digest_of(content: object) -> str:
    """Return the sha256 of what JSON can hold, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def run_plans(
    plans: dict[str, Any],
    run: ViTnnUNetConfig,
    patch_size: tuple[int, int],
    statistics: tuple[list[float], list[float]],
) -> dict[str, Any]:
    """Return the dataset's plans with the run's network in place of nnU-Net's.

    Args:
        plans: of the dataset.
        run: resolved.
        patch_size: (H, W) in pixels.
        statistics: mean and std per input channel.
    """
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    from nnunet_vit.modeling.network import CLASS_PATH, network_arguments

    own = copy.deepcopy(plans)
    name = run.data.configuration
    configuration = dict(PlansManager(plans).get_configuration(name).configuration)
    configuration.pop("inherits_from", None)  # resolved; the parent is not in these plans
    configuration["patch_size"] = list(patch_size)
    configuration["batch_size"] = run.train.batch_size or configuration["batch_size"]
    configuration["architecture"] = {
        "network_class_name": CLASS_PATH,
        "arch_kwargs": network_arguments(run, patch_size, statistics),
        "_kw_requires_import": [],
    }
    own["plans_name"] = plans_name(run)
    own["configurations"] = {name: configuration}
    own[KEY] = {"version": __version__, "run": run.model_dump(mode="json", exclude={"paths"})}
    return own


def write_plans(plans: dict[str, Any], folder: Path) -> Path:
    """Write plans where nnU-Net looks for them, whole or not at all."""
    path = folder / f"{plans['plans_name']}.json"
    write_json(plans, path)
    return path


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write JSON under its final name only when it is complete."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_text(json.dumps(content, indent=2), encoding="utf-8")
    unfinished.replace(path)


def run_of_plans(plans: dict[str, Any]) -> ViTnnUNetConfig:
    """Return the run that plans were made for.

    Raises:
        ConfigError: they were not made by vit_cli.
    """
    if KEY not in plans:
        raise ConfigError(
            f"The plans '{plans.get('plans_name')}' hold no run of nnunet-vit.",
            fix=f"`vit_cli train --config run.yaml` writes such plans beside {PLANS}.json.",
        )
    return ViTnnUNetConfig.model_validate(plans[KEY]["run"])
