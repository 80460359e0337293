"""The arguments of timm's networks that a run file or a snapshot may give: plain values only."""

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import JsonMapping, JsonObject

Count = Annotated[int, Field(ge=1, le=16384)]
Size = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Activation = Literal["gelu", "gelu_tanh", "quick_gelu", "silu", "relu"]
Norm = Literal["layernorm", "layernormfp32", "rmsnorm", "rmsnormfp32"]


class BackboneArguments(BaseModel):
    """What a network has that its timm name does not say; what is not given is as in timm.

    Written out, only what was given appears. Layers go by their names: nothing here is code.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    embed_dim: Count | None = None
    depth: Annotated[int, Field(ge=1, le=256)] | None = None
    num_heads: Annotated[int, Field(ge=1, le=512)] | None = None
    patch_size: Annotated[int, Field(ge=2, le=64)] | None = None
    mlp_ratio: Annotated[float, Field(gt=0, le=64, allow_inf_nan=False)] | None = None
    mlp_layer: Literal["Mlp", "GluMlp", "SwiGLU", "SwiGLUPacked"] | None = None
    act_layer: Activation | None = None
    norm_layer: Norm | None = None
    norm_eps: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="epsilon of every norm"
    )
    embed_norm_layer: Norm | None = None
    init_values: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = Field(
        None, description="LayerScale, where given"
    )
    qkv_bias: bool | None = None
    qkv_fused: bool | None = None
    qk_norm: bool | None = None
    proj_bias: bool | None = None
    scale_attn_norm: bool | None = None
    scale_mlp_norm: bool | None = None
    scale_mlp: bool | None = None
    scale_attn_inner: bool | None = None
    swiglu_mlp: bool | None = None
    swiglu_align_to: Annotated[int, Field(ge=0, le=16384)] | None = None
    attn_type: Literal["eva", "rope"] | None = None
    class_token: bool | None = None
    reg_tokens: Annotated[int, Field(ge=0, le=1024)] | None = None
    num_reg_tokens: Annotated[int, Field(ge=0, le=1024)] | None = Field(
        None, description="of timm's eva, where others have reg_tokens"
    )
    no_embed_class: bool | None = None
    pos_embed: Literal["learn", "none"] | None = None
    pre_norm: bool | None = None
    final_norm: bool | None = None
    use_abs_pos_emb: bool | None = None
    use_rel_pos_bias: bool | None = None
    use_shared_rel_pos_bias: bool | None = None
    use_rot_pos_emb: bool | None = None
    use_post_norm: bool | None = None
    use_pre_transformer_norm: bool | None = None
    use_post_transformer_norm: bool | None = None
    rope_type: Literal["cat", "mixed", "dinov3"] | None = None
    rope_temperature: Size | None = None
    rope_grid_offset: Annotated[float, Field(allow_inf_nan=False)] | None = None
    rope_grid_indexing: Literal["ij", "xy"] | None = None
    rope_rotate_half: bool | None = None
    ref_feat_shape: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = None

    @model_serializer(mode="wrap")
    def _only_given(self, write: SerializerFunctionWrapHandler) -> JsonObject:
        return {name: value for name, value in write(self).items() if value is not None}

    def given(self) -> JsonObject:
        """Return the arguments that have a value."""
        return self.model_dump(mode="json")


def arguments_of(given: JsonMapping) -> BackboneArguments:
    """Return arguments that are given from Python.

    Raises:
        ConfigError: one is unknown, or its value not allowed.
    """
    try:
        return BackboneArguments.model_validate(dict(given))
    except ValidationError as error:
        places = dict.fromkeys(str(one["loc"][0]) for one in error.errors(include_url=False))
        faults = ", ".join(f"{place} = {given[place]!r}" for place in places)
        known = ", ".join(BackboneArguments.model_fields)
        raise ConfigError(f"backbone_arguments: given {faults}; allowed: {known}.") from error
