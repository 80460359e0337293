"""The run's own plans: a copy of the dataset's with the run's network, name and sizes inside.

nnU-Net stores plans beside the model and rebuilds the network from them, so this file is what makes
a run trainable, predictable and shareable with stock nnU-Net.
"""

import copy
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.config.channel_statistics import ChannelStatistics
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonObject, write_json
from nnunet_vit.nnunet.plans_file import PLANS
from nnunet_vit.nnunet.run_names import plans_name
from nnunet_vit.registry import catalogue
from nnunet_vit.tuning import method_name

KEY = "nnunet_vit"
NAMED_EPOCHS = "named_epochs"  # for which the name of a lengthened run was made
# what packages beside this one bring to a run: the key in plans, and the entry-point group
GROUPS = {"head": catalogue.HEADS, "backbone": catalogue.BACKBONES, "tuning": catalogue.TUNING}


def run_plans(
    plans: JsonObject,
    run: ViTnnUNetConfig,
    patch_size: tuple[int, int],
    *,
    statistics: ChannelStatistics,
    name: str | None = None,
    named_epochs: int | None = None,
    cpu_bfloat16: bool = True,
) -> JsonObject:
    """Return the dataset's plans with the run's network in place of nnU-Net's.

    Args:
        plans: of the dataset.
        run: resolved.
        patch_size: (H, W) in pixels.
        statistics: mean and std per input channel.
        name: of the run; None: as it is named now.
        named_epochs: for which that name was made; None: the run's.
        cpu_bfloat16: false for a run that was begun without it.
    """
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    from nnunet_vit.modeling.network import CLASS_PATH, network_arguments

    own = copy.deepcopy(plans)
    wanted = run.data.configuration
    configuration = dict(PlansManager(plans).get_configuration(wanted).configuration)
    configuration.pop("inherits_from", None)  # resolved; the parent is not in these plans
    configuration["patch_size"] = list(patch_size)
    configuration["batch_size"] = run.train.batch_size or configuration["batch_size"]
    configuration["architecture"] = {
        "network_class_name": CLASS_PATH,
        "arch_kwargs": network_arguments(run, patch_size, statistics, cpu_bfloat16=cpu_bfloat16),
        "_kw_requires_import": [],
    }
    own["plans_name"] = name or plans_name(run)
    own["configurations"] = {wanted: configuration}
    own[KEY] = {
        "version": __version__,
        "run": run.model_dump(mode="json", exclude={"paths"}),
        **packages_of(run),
    }
    if brought := recipe_packages(run):
        own[KEY]["recipe"] = brought
    if named_epochs not in (None, run.train.num_epochs):
        own[KEY][NAMED_EPOCHS] = named_epochs
    return own


def says_cpu_bfloat16(plans: JsonObject) -> bool:
    """Tell whether a run's plans let `precision: auto` be bfloat16 on CPUs that are quicker in it.

    Those of versions before do not say it: such a run stays in float32 there.
    """
    networks = [each.get("architecture", {}) for each in plans.get("configurations", {}).values()]
    return any(each.get("arch_kwargs", {}).get("cpu_bfloat16", False) for each in networks)


def with_run(plans: JsonObject, run: ViTnnUNetConfig) -> JsonObject:
    """Return a run's plans for the same run with other settings, patch and batch size apart."""
    own = copy.deepcopy(plans)
    own[KEY]["run"] = run.model_dump(mode="json", exclude={"paths"})
    network = {"model": run.model.model_dump(mode="json"), "lora": run.lora.model_dump(mode="json")}
    for configuration in own["configurations"].values():
        configuration["architecture"]["arch_kwargs"].update(network)
    return own


def packages_of(run: ViTnnUNetConfig) -> dict[str, dict[str, str]]:
    """Return name and version of the distributions that a run needs besides this one.

    By what they bring: head, backbone, tuning. No head where model_path names a module: nobody
    knows where that comes from; no backbone or method that nnunet-vit brings itself.
    """
    names = {
        "head": run.model.head_name,
        "backbone": run.model.backbone,
        "tuning": method_name(run),
    }
    return {
        kind: {"distribution": records[0].distribution, "version": records[0].version}
        for kind, group in GROUPS.items()
        if (records := catalogue.installed(group).get(names[kind] or ""))
    }


def recipe_packages(run: ViTnnUNetConfig) -> dict[str, str]:
    """Return name and version of distributions that bring terms of the loss or augmentations.

    Training alone needs them: prediction does not ask for them.
    """
    named = {
        catalogue.LOSSES: run.train.loss.terms,
        catalogue.AUGMENTATIONS: run.train.augmentation.added,
    }
    return {
        records[0].distribution: records[0].version
        for group, names in named.items()
        for name, records in catalogue.installed(group).items()
        if name in names
    }


def write_plans(plans: JsonObject, folder: Path) -> Path:
    """Write plans where nnU-Net looks for them, whole or not at all."""
    path = folder / f"{plans['plans_name']}.json"
    write_json(plans, path)
    return path


def run_of_plans(plans: JsonObject) -> ViTnnUNetConfig:
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
