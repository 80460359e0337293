"""Defaults that have changed: what a run file leaves out is as the version in `recipe` has it."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from nnunet_vit.tuning import method_of

if TYPE_CHECKING:
    from nnunet_vit.config.models import ViTnnUNetConfig

FIRST, NEWEST = 1, 2
Recipe = Annotated[int, Field(ge=FIRST, le=NEWEST)]
Auto = Literal["auto"]
AUTO: Auto = "auto"
WHY_RECIPE = "the version of the defaults: those of later ones change nothing here"
BACKBONE_PART = 10  # a tenth of the head's rate: at the head's own, pretraining is undone


def backbone_rate(run: "ViTnnUNetConfig", takes_backbone: bool) -> float | None:
    """Return the highest rate of the backbone, None where it is the head's.

    A rate per layer is somebody's own choice of rates: it is left alone. The cells that stand
    behind the tenth are in docs/accuracy.md.

    Args:
        run: whose `train.backbone_lr` may be `auto`.
        takes_backbone: whether the head is built on the run's backbone, and brings none.
    """
    given = run.train.backbone_lr
    return _of_recipe(run, takes_backbone) if given == AUTO else given


def rate_as_given(run: "ViTnnUNetConfig") -> float | Auto | None:
    """Return the rate as a run file says it that is changed later: `auto` where auto gives it."""
    rate = run.train.backbone_lr
    return AUTO if rate == _of_recipe(run, takes_backbone=True) else rate


def as_first_recipe(run: "ViTnnUNetConfig") -> "ViTnnUNetConfig | None":
    """Return a resolved run as versions without recipes read its file; None: it is the same."""
    rate = run.train.backbone_lr
    if rate is None or rate != _of_recipe(run, takes_backbone=True):
        return None
    train = run.train.model_copy(update={"backbone_lr": None})
    return run.model_copy(update={"recipe": FIRST, "train": train})


def _of_recipe(run: "ViTnnUNetConfig", takes_backbone: bool) -> float | None:
    """Return the rate that a run's recipe gives."""
    changes_weights = method_of(run).trains_backbone != "none" and run.model.pretrained
    by_layer = run.train.layer_decay != 1
    if run.recipe == FIRST or by_layer or not changes_weights or not takes_backbone:
        return None
    return float(f"{run.train.initial_lr / BACKBONE_PART:.12g}")  # 0.003 / 10 as people write it
