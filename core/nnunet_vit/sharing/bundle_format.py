"""What is in an exported model, and what its manifest says; docs/sharing.md shows both."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictInt, ValidationError

from nnunet_vit.data.model_files import MODEL_FILES
from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.files.json_file import JsonObject

FORMAT, SCHEMA = "nnunet-vit model", 1
MANIFEST, CARD = "manifest.json", "MODEL_CARD.md"
PLANS, DESCRIPTION = MODEL_FILES
SHARED = "weights/shared.safetensors"  # tensors that are alike in all folds
WHOLE, TRAINED = "whole", "trained"  # weights with the backbone inside, or what was trained alone

Count = Annotated[int, Field(strict=True, ge=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,199}$")]
# what every file system takes as a folder's name
DatasetName = Annotated[
    str,
    Field(
        pattern=r"^Dataset[0-9]{3,}_[^/\\\\:*?\"<>|\x00-\x1f\x7f]{0,149}[^/\\\\:*?\"<>|\s.\x00-\x1f\x7f]$"
    ),
]
FoldName = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,3}|all)$")]
Dice = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Axes = Annotated[list[Literal[0, 1]], Field(max_length=2)]


def weights_name(fold: int | str) -> str:
    """Return the name of a fold's weights."""
    return f"weights/fold_{fold}.safetensors"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class FileFacts(_Strict):
    """A file of the bundle."""

    bytes: Count
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class FoldFacts(_Strict):
    """A fold: over which axes it may be mirrored, and how many epochs it was trained."""

    mirroring_axes: Axes | None
    epochs: StrictInt | None = None


class PackageFacts(_Strict):
    """A distribution that the model needs."""

    distribution: Name
    version: Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9.+!_-]+$")]


class _Validation(_Strict):
    """Figures of the validation, as `validation_figures` returns them."""

    folds: list[FoldName]
    cases: Count
    mean_dice: Dice
    dice: dict[str, Dice]


class _Published(_Strict):
    """Weights of a model hub."""

    repository: str
    file: str
    commit: str
    sha256: str


class _PretrainedFile(FileFacts):
    """A file of pretrained weights."""

    name: str


class _Pretrained(_Strict):
    """The pretrained weights of a small checkpoint."""

    digest: Annotated[str, Field(min_length=1)]
    file: _PretrainedFile | None
    published: list[_Published] | None
    timm_name: str | None


def _as(kind: type[_Strict]) -> AfterValidator:
    """Return what checks an object and leaves it one."""
    return AfterValidator(lambda given: kind.model_validate(given) and given)


class Manifest(_Strict):
    """All that a bundle says of itself."""

    format: Literal["nnunet-vit model"]
    schema_: Annotated[Literal[1], Field(alias="schema")]
    dataset: DatasetName
    trainer: Name
    plans: Name
    configuration: Name
    checkpoint: Literal["final", "best", "latest"]
    weights: Literal["whole", "trained"]
    folds: Annotated[dict[FoldName, FoldFacts], Field(min_length=1)]
    pretrained: Annotated[JsonObject, _as(_Pretrained)] | None = None
    packages: dict[Literal["head", "backbone", "tuning"], PackageFacts]
    versions: dict[str, str]
    validation: Annotated[JsonObject, _as(_Validation)] | None = None
    files: dict[str, FileFacts]

    @property
    def folder(self) -> str:
        """The model folder's place in a results folder."""
        return f"{self.dataset}/{self.trainer}__{self.plans}__{self.configuration}"

    def wanted(self) -> set[str]:
        """Return the names of the files that there must be, besides the manifest."""
        folds = {weights_name(fold) for fold in self.folds}
        return {CARD, PLANS, DESCRIPTION, *folds}

    def as_json(self) -> JsonObject:
        """Return what the file holds."""
        return self.model_dump(mode="json", by_alias=True)


def manifest_from(content: object, where: str) -> Manifest:
    """Return a manifest, checked.

    Args:
        content: of the JSON.
        where: it is from, for the error.

    Raises:
        ModelError: it is none of this version's; the text names everything that is wrong.
    """
    if isinstance(content, dict) and content.get("format") == FORMAT:
        schema = content.get("schema")
        if type(schema) is int and schema != SCHEMA:
            raise ModelError(
                f"{where} has schema {schema}; this version of nnunet-vit reads {SCHEMA}.",
                fix="update nnunet-vit: pip install -U nnunet-vit",
            )
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        places = [".".join(map(str, each["loc"])) for each in error.errors()]
        wrong = [
            f"{place}: {each['msg']}" for place, each in zip(places, error.errors(), strict=True)
        ]
        raise ModelError(
            f"{where}: {MANIFEST} is not as it must be: {shortened(wrong, 5)}.",
            fix="export the model again, and copy the whole file.",
        ) from error
