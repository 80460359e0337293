"""The run file as pydantic models: strict, and unknown keys are errors at every depth."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from nnunet_vit.config.model_section import DecoderConfig as DecoderConfig
from nnunet_vit.config.model_section import ViTModelConfig as ViTModelConfig
from nnunet_vit.config.recipe_version import NEWEST, Recipe
from nnunet_vit.config.section import Section
from nnunet_vit.config.train_section import ViTLoRAConfig as ViTLoRAConfig
from nnunet_vit.config.train_section import ViTTrainConfig as ViTTrainConfig
from nnunet_vit.files.json_file import JsonObject


def _each_once(folds: list[int]) -> list[int]:
    twice = sorted({fold for fold in folds if folds.count(fold) > 1})
    if twice:
        raise ValueError(f"fold {', '.join(map(str, twice))} is there more than once")
    return folds


Folds = Annotated[
    list[Annotated[int, Field(ge=0)]],
    Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]


class DataConfig(Section):
    """Which dataset, which of its configurations, which fold."""

    dataset: Annotated[int, Field(ge=0)] | str | None = Field(
        None,
        description="the dataset's id, or its name `DatasetXXX_Name`, with three digits, or with "
        "more that begin with no 0; it must be given somewhere",
    )
    configuration: str = Field(
        "2d", description="a configuration of the dataset's nnU-Net plans; it must be 2D"
    )
    fold: Annotated[int, Field(ge=0)] | Literal["all"] | Folds = Field(
        0,
        description="nnU-Net's fold: 0 to 4, or one of `splits_final.json`; `all` trains on every "
        "case and validates on the same ones; `[0, 1, 2, 3, 4]`: one after another, and their "
        "validations together",
    )
    groups: str | Literal[False] | None = Field(
        None,
        description="cases that stay in one fold, such as those of a patient: a `.csv` with the "
        "columns case and group, or a pattern with one group that finds it in the case's name, "
        "`'P(\\d+)_'`; null: `groups.csv` in the raw dataset, if it has one; false: no groups",
    )
    stratify: bool = Field(
        False, description="balance the classes over the five folds, by the cases' masks"
    )
    splits: str | None = Field(
        None,
        description="a `.json` with folds of your own, in the form of `splits_final.json`; null: "
        "five folds, nnU-Net's where nothing else is said",
    )

    @property
    def folds(self) -> list[int | str]:
        """The folds to train, in their order."""
        return list(self.fold) if isinstance(self.fold, list) else [self.fold]


class PathsConfig(Section):
    """nnU-Net's three folders; a null comes from the environment variable of that name."""

    raw: str | None = Field(
        None, description="folder of the raw datasets; null: the environment variable `nnUNet_raw`"
    )
    preprocessed: str | None = Field(
        None, description="folder of plans and preprocessed data; null: `nnUNet_preprocessed`"
    )
    results: str | None = Field(
        None, description="folder of the trained models; null: `nnUNet_results`"
    )


class ViTnnUNetConfig(Section):
    """A whole run file."""

    recipe: Recipe = Field(
        NEWEST,
        description="version of the defaults: 1 is that of files before there were versions, where "
        "a pretrained backbone learns at the head's rate; 2 gives it a tenth",
    )
    data: DataConfig = Field(default_factory=DataConfig)
    paths: PathsConfig = Field(default_factory=PathsConfig)
    model: ViTModelConfig = Field(default_factory=ViTModelConfig)
    lora: ViTLoRAConfig = Field(default_factory=lambda: ViTLoRAConfig(enabled=False))
    train: ViTTrainConfig = Field(default_factory=ViTTrainConfig)
    trackers: list[str] | dict[str, JsonObject | None] = Field(
        default_factory=list,
        description="where the training is followed: names, `[tensorboard]`, or names with keys of "
        "their own, `{mlflow: {experiment: cells}}`; none of them can stop a training",
    )

    @property
    def options_of_trackers(self) -> dict[str, JsonObject]:
        """The keys of each tracker by its name."""
        given = self.trackers
        if isinstance(given, list):
            return {name: {} for name in given}
        return {name: options or {} for name, options in given.items()}
