"""Room for kept views: counted before the first is made."""

import os
import shutil
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from nnunet_vit.config.feature_cache_section import FEWEST, FeatureCacheSection
from nnunet_vit.errors import ConfigError, MachineError
from nnunet_vit.files.machine_memory import bytes_available
from nnunet_vit.modeling.runtime.feature_tap import FeatureTap
from nnunet_vit.quantities import bytes_text
from nnunet_vit.training.feature_cache.tap_of_run import KEY
from nnunet_vit.training.feature_cache.view_plan import ViewPlan
from nnunet_vit.training.worker_memory import SHARING

if TYPE_CHECKING:
    from nnunet_vit.training.trainer import nnUNetTrainer_vit

FLOAT, LABEL, REGION = 4, 2, 1  # bytes of a number in images and in masks, as the loaders make them
SHARE = 0.5  # of what is free, where nothing is asked for


def bytes_of_view(trainer: "nnUNetTrainer_vit", tap: FeatureTap) -> int:
    """Return the bytes of a view: its image, its masks of all resolutions and what is kept."""
    size: list[int] = trainer.configuration_manager.patch_size
    labels = trainer.label_manager
    mask = REGION * len(labels.foreground_regions) if labels.has_regions else LABEL
    scales = trainer._get_deep_supervision_scales() or [[1.0, 1.0]]
    masks = sum(prod(round(edge * part) for edge, part in zip(size, scale, strict=True))
                for scale in scales)  # fmt: skip
    features = sum(kept.bytes for kept in tap.kept.values())
    channels: int = trainer.num_input_channels
    return FLOAT * channels * prod(size) + mask * masks + features


def check_room(section: FeatureCacheSection, plan: ViewPlan, view: int, *, folder: Path) -> int:
    """Return the bytes of all views, or refuse them.

    Args:
        section: of the run.
        plan: of the views.
        view: bytes of one.
        folder: for files; it need not be there.

    Raises:
        ConfigError: the run's budget is too small.
        MachineError: the machine has less room.
    """
    needed, free = plan.count * view, _free(section.where, folder)
    lead = (
        f"{KEY}: {section.views} views of each of {len(plan.cases)} training cases need "
        f"{bytes_text(needed)} ({bytes_text(view)} each)"
    )
    budget = None if section.budget_gb is None else section.budget_gb * 1e9
    if budget is not None and needed > budget:
        raise ConfigError(
            f"{lead}; {KEY}.budget_gb allows {bytes_text(budget)}.",
            fix=_fix(plan, view, budget, section=section, other=f"a larger {KEY}.budget_gb"),
        )
    allowed = free if free is None or budget else SHARE * free
    if free is not None and allowed is not None and needed > allowed:
        half = "" if budget else f", half of which it may take without {KEY}.budget_gb"
        elsewhere = f", {KEY}.where: disk" if section.where == "memory" else ""
        raise MachineError(
            f"{lead}; {bytes_text(free)} of {section.where} are free{half}.",
            fix=_fix(plan, view, allowed, section=section, other=f"make room{elsewhere}"),
        )
    return needed


def _fix(
    plan: ViewPlan, view: int, allowed: float, *, section: FeatureCacheSection, other: str
) -> str:
    """Return how many views would fit, in whole lots, and what else helps."""
    fitting = int(allowed // view) // plan.batch * plan.batch // len(plan.cases)
    fits = (
        f"{KEY}.views: {fitting} fits"
        if fitting >= FEWEST
        else f"the least, {FEWEST} views, does not fit"
    )
    smaller = f", {KEY}.dtype: bfloat16" if section.dtype == "float32" else ""
    return f"{fits}; {other}{smaller}."


def _free(where: str, folder: Path) -> int | None:
    if where == "memory":
        found = bytes_available()
        return None if found is None else found // int(os.environ.get(SHARING, 1))
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    own = sum(file.stat().st_size for file in folder.glob("*")) if folder.is_dir() else 0
    return shutil.disk_usage(there).free + own
