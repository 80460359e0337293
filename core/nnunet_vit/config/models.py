"""The run file as pydantic models: strict, and unknown keys are errors at every depth."""

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
from nnunet_vit.files.json_file import JsonObject

MODEL_PATH_ALIASES = {"nnunetv2.model.model_segformer_1": "segformer"}
DEFAULT_HEAD = "segformer"
Positive = Annotated[int, Field(ge=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """A section of the run file."""

    # pydantic before 2.10 warns of names that begin with model_, as model_path does
    model_config = ConfigDict(
        extra="forbid", strict=True, validate_default=True, protected_namespaces=()
    )


class DataConfig(Section):
    """Which dataset, which of its configurations, which fold."""

    dataset: Annotated[int, Field(ge=0)] | str | None = Field(
        None, description="id or DatasetXXX_Name"
    )
    configuration: str = Field("2d", description="a 2D configuration of the dataset's plans")
    fold: Annotated[int, Field(ge=0)] | Literal["all"] = Field(
        0, description="0 to 4, or one of splits_final.json, or all"
    )


class PathsConfig(Section):
    """nnU-Net's three folders; a null comes from the environment variable of that name."""

    raw: str | None = Field(None, description="in place of nnUNet_raw")
    preprocessed: str | None = Field(None, description="in place of nnUNet_preprocessed")
    results: str | None = Field(None, description="in place of nnUNet_results")


class DecoderConfig(BaseModel):
    """The head's options as given; the head's own options model validates them.

    `hidden_size` is what a head without options of its own gets as `decoder_hidden_size`. Written
    out, it appears only if it was given: a head whose options lack it would refuse it.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    hidden_size: Annotated[int, Field(ge=1, le=8192)] = 256

    @model_serializer(mode="wrap")
    def _only_given(self, write: SerializerFunctionWrapHandler) -> JsonObject:
        return {name: value for name, value in write(self).items() if name in self.model_fields_set}


class ViTModelConfig(Section):
    """The network: which head on which backbone with which weights."""

    head: str | None = Field(None, description="a registered head (`vit_cli list-models`)")
    model_path: str | None = Field(
        None, description="instead of head: a module that has create_segmentation_model"
    )
    backbone: str = Field(
        "dinov3", description="a registered family, timm:<name>, or timm:hf-hub:OWNER/NAME"
    )
    repository: str | None = Field(
        None,
        description="OWNER/NAME on the model hub that the weights are fetched from; null: timm's",
    )
    backbone_size: str | None = Field(None, description="a size of the family; null: its default")
    checkpoint_path: str = Field("", description="a weights file; empty: the published weights")
    checkpoint_key: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="which of several networks in that file; null: the averaged one"
    )
    pretrained: bool = Field(True, description="false: random weights")
    expected_coverage: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="share of the backbone's parameters that the weights must bring"
    )
    vit_patch_size: Annotated[int, Field(ge=2, le=64)] | None = Field(
        None,
        validation_alias=AliasChoices("vit_patch_size", "patch_size"),  # the second is older
        description="edge of the ViT's patches, pixels; null: as it was pretrained",
    )
    backbone_arguments: BackboneArguments = Field(
        default_factory=BackboneArguments,
        description="where the network differs from its timm name; a snapshot says it itself",
    )
    position_grid: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = Field(
        None,
        description="[H, W] in patches that the position embeddings of checkpoint_path were made "
        "for; null: see docs/weights.md",
    )
    freeze_backbone: bool = Field(False, description="train the head alone")
    tuning: str | None = Field(
        None, description="a fine-tuning method; null: from lora and freeze_backbone"
    )
    trained_blocks: Positive = Field(4, description="how many blocks tuning last_blocks trains")
    precision: Literal["auto", "bfloat16", "float32"] = Field(
        "auto", description="auto: bfloat16 on GPUs that have it, else float32"
    )
    input_mean: list[Finite] | None = Field(
        None, description="per input channel; null: from the weights and nnU-Net's normalization"
    )
    input_std: list[Annotated[Finite, Field(gt=0)]] | None = Field(
        None, description="per input channel, with input_mean"
    )
    decoder: DecoderConfig = Field(default_factory=DecoderConfig, description="the head's options")

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


class ViTLoRAConfig(Section):
    """Low-rank adapters in the backbone; the section's presence turns them on."""

    enabled: bool = True
    r: Annotated[int, Field(ge=1, le=1024)] = Field(8, description="rank")
    lora_alpha: Annotated[Finite, Field(gt=0)] = Field(16.0, description="scale is lora_alpha / r")
    target_modules: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="linear layers of the blocks, by name; null: the backbone's own default"
    )
    lora_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05


class ViTTrainConfig(Section):
    """How long and how fast to train."""

    initial_lr: Annotated[Finite, Field(gt=0, le=10)] = Field(0.001, description="peak rate")
    backbone_lr: Annotated[Finite, Field(gt=0, le=10)] | None = Field(
        None, description="peak rate of the backbone; null: initial_lr"
    )
    layer_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="each block's rate is that of the block above it times this"
    )
    weight_decay: Annotated[Finite, Field(ge=0, le=10)] = 0.00003
    gradient_clip: Annotated[Finite, Field(gt=0)] = Field(12.0, description="largest gradient norm")
    optimizer: Literal["adamw", "sgd"] = "adamw"
    warmup: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.03, description="share of all iterations in which the rate rises to initial_lr"
    )
    schedule: Literal["poly", "cosine"] = Field("poly", description="after the warm-up")
    ema: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="decay of the averaged weights that are validated and kept; 0: none"
    )
    gradient_checkpointing: bool = Field(False, description="less memory, a third more time")
    gradient_accumulation: Positive = Field(
        1, description="parts of a batch that go through the network one after the other"
    )
    num_epochs: Positive = 1000
    num_iterations_per_epoch: Positive = 250
    num_val_iterations_per_epoch: Positive = 50
    batch_size: Positive | None = Field(None, description="null: from the plans")
    patch_size: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = Field(
        None, description="pixels, [H, W]; null: the plans', up to the next multiple of the ViT's"
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    save_every: Positive = Field(1, description="epochs between two checkpoints")
    save_whole_model: bool = Field(
        True, description="write the finished model whole too, for stock nnU-Net"
    )


class ViTnnUNetConfig(Section):
    """A whole run file."""

    data: DataConfig = Field(default_factory=DataConfig)
    paths: PathsConfig = Field(default_factory=PathsConfig)
    model: ViTModelConfig = Field(default_factory=ViTModelConfig)
    lora: ViTLoRAConfig = Field(default_factory=lambda: ViTLoRAConfig(enabled=False))
    train: ViTTrainConfig = Field(default_factory=ViTTrainConfig)
