"""What kept features and views depend on: where some of it has changed, they are made again."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from nnunet_vit.checkpoints.provenance import versions
from nnunet_vit.modeling.runtime.feature_tap import FeatureTap
from nnunet_vit.nnunet.plans import recipe_packages
from nnunet_vit.nnunet.run_names import digest_of
from nnunet_vit.training.feature_cache.view_plan import ViewPlan

if TYPE_CHECKING:
    from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader

    from nnunet_vit.training.trainer import nnUNetTrainer_vit

NAMED = {
    "weights": "the backbone's frozen weights",
    "network": "the size or normalization of its input, its precision or what the head asks for",
    "data": "the training cases, their files or nnU-Net's plans",
    "views": "the number of views, the seed, the batch or the augmentation",
    "storage": "the type of the numbers",
    "machine": "the device or a package",
}


def cache_key(
    trainer: "nnUNetTrainer_vit", loader: "nnUNetDataLoader", tap: FeatureTap, *, plan: ViewPlan
) -> dict[str, str]:
    """Return a digest of each thing that the cache depends on, by the keys of NAMED."""
    train = trainer.run.train
    network = [
        trainer.run.model.precision, list(loader.final_patch_size), trainer.num_input_channels,
        [[call.method, call.layers] for call in tap.calls],
    ]  # fmt: skip
    views = [
        plan.seed, plan.lots, plan.kinds.tolist(), [int(size) for size in loader.patch_size],
        train.augmentation.model_dump(mode="json"), trainer._get_deep_supervision_scales(),
    ]  # fmt: skip
    data = [trainer.data_digests, _files(Path(trainer.preprocessed_dataset_folder), plan.cases)]
    kept = {name: [list(each.shape), str(each.stored)] for name, each in tap.kept.items()}
    return {
        "weights": _frozen_digest(trainer.bare_network.bridge, tap.backbone.model),
        "network": digest_of(network),
        "data": digest_of(data),
        "views": digest_of(views),
        "storage": digest_of(kept),
        "machine": digest_of([_device(trainer.device), versions(), recipe_packages(trainer.run)]),
    }


def changed(now: Mapping[str, str], then: Mapping[str, object]) -> list[str]:
    """Return in words what differs."""
    return [NAMED[name] for name in now if then.get(name) != now[name]]


def _frozen_digest(*modules: nn.Module) -> str:
    """Return the sha256 of all that is not trained in modules, buffers too."""
    digest = hashlib.sha256()
    for module in modules:
        trained = {name for name, value in module.named_parameters() if value.requires_grad}
        for name, value in module.state_dict().items():
            if name not in trained:
                digest.update(f"{name}|{value.dtype}|{tuple(value.shape)}|".encode())
                flat = value.detach().cpu().contiguous().reshape(-1)
                digest.update(flat.view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _files(folder: Path, cases: list[str]) -> list[object]:
    """Return name, bytes and time of the cases' preprocessed files."""
    found = [
        file for case in cases for name in (f"{case}.*", f"{case}_seg.*")
        for file in sorted(folder.glob(name))
    ]  # fmt: skip
    return [[file.name, file.stat().st_size, file.stat().st_mtime_ns] for file in found]


def _device(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
