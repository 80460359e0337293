"""The run file's section `model` as a pydantic model."""

from typing import Annotated, Literal

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from nnunet_vit.backbones import family, is_timm
from nnunet_vit.config.backbone_arguments import BackboneArguments
from nnunet_vit.config.section import Finite, Positive, Section
from nnunet_vit.files.json_file import JsonObject

MODEL_PATH_ALIASES = {"nnunetv2.model.model_segformer_1": "segformer"}
DEFAULT_HEAD = "segformer"


class DecoderConfig(BaseModel):
    """The head's options as given; the head's own options model validates them.

    `hidden_size` is what a head without options of its own gets as `decoder_hidden_size`. Written
    out, it appears only if it was given: a head whose options lack it would refuse it.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    hidden_size: Annotated[int, Field(ge=1, le=8192)] = Field(
        256,
        description="for heads that have it, each with bounds and a default of its own. A module "
        "of `model_path` without options of its own gets it as `decoder_hidden_size`",
    )

    @model_serializer(mode="wrap")
    def _only_given(self, write: SerializerFunctionWrapHandler) -> JsonObject:
        return {name: value for name, value in write(self).items() if name in self.model_fields_set}


class ViTModelConfig(Section):
    """The network: which head on which backbone with which weights."""

    head: str | None = Field(
        None, description="an installed head, see `vit_cli list-models`; null: `segformer`"
    )
    model_path: str | None = Field(
        None, description="instead of `head`: a Python module with a head of your own"
    )
    backbone: str = Field(
        "dinov3",
        description="an installed family, `timm:<name>` for a plain ViT of timm, or "
        "`timm:hf-hub:OWNER/NAME` for a repository of the model hub",
    )
    repository: str | None = Field(
        None,
        description="the repository OWNER/NAME that the weights of a `timm:<name>` are fetched "
        "from; null: timm's own. `timm:hf-hub:OWNER/NAME` becomes this key, `timm:<architecture>` "
        "and its arguments",
    )
    backbone_size: str | None = Field(
        None,
        description="a size of the family; null: its default, `large` for dinov3 and dinov2. A "
        "timm name holds its size",
    )
    checkpoint_path: str = Field(
        "",
        description="pretrained weights: a file, or a folder of the Hugging Face hub with "
        "`config.json`; empty: the family's published weights",
    )
    checkpoint_key: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="which network, where that file holds several, by its mapping or prefix: "
        "`state_dict`, `teacher`, `model.encoder`; null: the averaged one",
    )
    pretrained: bool = Field(True, description="false: random weights")
    expected_coverage: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="the share of the backbone's parameters that the file of `checkpoint_path` "
        "must bring",
    )
    vit_patch_size: Annotated[int, Field(ge=2, le=64)] | None = Field(
        None,
        validation_alias=AliasChoices("vit_patch_size", "patch_size"),  # the second is older
        description="edge of the ViT's patches in pixels; null: as it was pretrained; "
        "`model.patch_size` is its older name. Another one resamples the weights",
    )
    backbone_arguments: BackboneArguments = Field(
        default_factory=BackboneArguments,
        description="arguments of timm's network in which it differs from its name, such as "
        "`{init_values: 1.0e-05}`; a snapshot's `config.json` says them itself",
    )
    position_grid: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="`[H, W]` in patches that the positions of `checkpoint_path` were made for; "
        "null: as the file tells",
    )
    freeze_backbone: bool = Field(
        False, description="train the head alone; `tuning: frozen` says the same"
    )
    tuning: str | None = Field(
        None,
        description="a fine-tuning method: `frozen`, `full`, `last_blocks`, `lora`, `rslora`, "
        "`dora`, `vera`, `ia3` or a package's; null: from `lora` and `freeze_backbone`",
    )
    trained_blocks: Positive = Field(
        4,
        description="how many blocks `tuning: last_blocks` trains, at most the backbone's depth, "
        "which is checked by `train`",
    )
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        "auto",
        description="what the network computes in; auto: bfloat16 on GPUs that have it and on "
        "CPUs that are quicker in it, which is measured, else float32. Logits and weights are "
        "float32",
    )
    input_mean: list[Finite] | None = Field(
        None,
        description="subtracted per input channel; null: from the weights and nnU-Net's "
        "normalization",
    )
    input_std: list[Annotated[Finite, Field(gt=0)]] | None = Field(
        None, description="divided by, per input channel; goes with `input_mean`"
    )
    decoder: DecoderConfig = Field(
        default_factory=DecoderConfig,
        description="the options of the head, checked by the head itself",
    )

    @property
    def head_name(self) -> str | None:
        """The registered head that is meant, or None where model_path names a module."""
        if self.model_path is not None:
            return MODEL_PATH_ALIASES.get(self.model_path)
        return self.head or DEFAULT_HEAD

    @property
    def size_name(self) -> str | None:
        """The backbone's size with the family's default filled in; None for a timm model."""
        if is_timm(self.backbone):
            return None
        return self.backbone_size or family(self.backbone).default_size
