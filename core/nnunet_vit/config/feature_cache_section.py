"""The run file's section `train.feature_cache`: features of a frozen backbone, kept for later."""

from typing import Annotated, Literal

from pydantic import Field

from nnunet_vit.config.section import Finite, Section

# of nnU-Net's batches at least a quarter is forced to show foreground: with so many views, each
# case has one that is, and others
FEWEST = 4


class FeatureCacheSection(Section):
    """What the frozen part of the backbone gives for some augmented views, computed once."""

    views: Annotated[int, Field(ge=FEWEST, le=100_000)] = Field(
        16,
        description="augmented views per training case that are kept; when all are made, each step "
        "draws from them in place of a fresh augmentation",
    )
    where: Literal["memory", "disk"] = Field(
        "memory", description="disk: the fold's folder, until its training is done"
    )
    dtype: Literal["bfloat16", "float32"] = Field(
        "bfloat16", description="of the features that are kept; float32: the very same numbers"
    )
    budget_gb: Annotated[Finite, Field(gt=0)] | None = Field(
        None,
        description="GB (1e9 bytes) that they may take, images and masks of the views included; "
        "null: half of what is free",
    )
