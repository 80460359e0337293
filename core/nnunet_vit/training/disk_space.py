"""Room on the disk for what a run will write, counted before it writes anything."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.config.models import ViTTrainConfig
from nnunet_vit.errors import MachineError
from nnunet_vit.quantities import bytes_text

if TYPE_CHECKING:
    from torch import Tensor

    from nnunet_vit.modeling.network import ViTSegmentationNetwork

CHECKPOINTS = 3  # the newest, the best, and the one that is being written


def check_room(network: "ViTSegmentationNetwork", settings: ViTTrainConfig, results: Path) -> None:
    """Refuse a disk that the run's checkpoints and its finished model will not fit on.

    Args:
        network: as it is trained.
        settings: section `train` of the run.
        results: the folder of models; it need not be there yet.

    Raises:
        MachineError: the disk has less room.
    """
    from nnunet_vit.checkpoints.base import is_in_file, stored_tensors
    from nnunet_vit.modeling.backbone import vits_of
    from nnunet_vit.profiling.memory import STATES

    whole = _bytes(network.state_dict().values()) if settings.save_whole_model else 0
    trained = _bytes(p for p in network.parameters() if p.requires_grad)
    brought = network.coverage
    in_file = is_in_file(None if brought is None else brought.missing)
    stored = _bytes(stored_tensors(network, not in_file, vits_of(network)).values())
    checkpoint = stored + trained * (STATES[settings.optimizer] + bool(settings.ema))
    needed = CHECKPOINTS * checkpoint + whole
    free = shutil.disk_usage(_existing(results)).free
    if free < needed:
        also = f" and the whole model of {bytes_text(whole)}" if whole else ""
        raise MachineError(
            f"{results} has {bytes_text(free)} of free disk space; this run needs "
            f"{bytes_text(needed)}: {CHECKPOINTS} checkpoints of {bytes_text(checkpoint)}{also}.",
            fix="make room, choose paths.results on another disk, or train less of the backbone "
            "(model.tuning).",
        )


def _existing(folder: Path) -> Path:
    absolute = folder.absolute()
    return next(place for place in (absolute, *absolute.parents) if place.exists())


def _bytes(tensors: "Iterable[Tensor]") -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
