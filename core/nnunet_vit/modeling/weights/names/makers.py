"""The names of OpenAI's CLIP, torchvision, Meta's SAM and JAX, turned into timm's."""

import re

from torch import Tensor

from nnunet_vit.modeling.weights.names.renaming import (
    Rules,
    compiled,
    renamed,
    with_batch,
    with_fused_attention,
)

CLIP = compiled(
    (r"^conv1\.", "patch_embed.proj."),
    (r"^class_embedding$", "cls_token"),
    (r"^positional_embedding$", "pos_embed"),
    (r"^ln_pre\.", "norm_pre."),
    (r"^ln_post\.", "norm."),
    (r"^proj$", "head.weight"),
    (r"^transformer\.resblocks\.", "blocks."),
    (r"\.ln_([12])\.", r".norm\1."),
    (r"\.attn\.in_proj_", ".attn.qkv."),
    (r"\.attn\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.c_fc\.", ".mlp.fc1."),
    (r"\.mlp\.c_proj\.", ".mlp.fc2."),
)
TORCHVISION = compiled(
    (r"^conv_proj\.", "patch_embed.proj."),
    (r"^class_token$", "cls_token"),
    (r"^encoder\.pos_embedding$", "pos_embed"),
    (r"^encoder\.ln\.", "norm."),
    (r"^heads\.(?:\w+\.)?", "head."),
    (r"^encoder\.layers\.encoder_layer_(\d+)\.", r"blocks.\1."),
    (r"\.ln_([12])\.", r".norm\1."),
    (r"\.self_attention\.in_proj_", ".attn.qkv."),
    (r"\.self_attention\.out_proj\.", ".attn.proj."),
    (r"\.mlp\.(?:0|linear_1)\.", ".mlp.fc1."),
    (r"\.mlp\.(?:3|linear_2)\.", ".mlp.fc2."),
)
SAM = compiled(
    (r"^patch_embed\.projection\.", "patch_embed.proj."),
    (r"^layers\.", "blocks."),
    (r"^neck\.conv1\.", "neck.0."),
    (r"^neck\.layer_norm1\.", "neck.1."),
    (r"^neck\.conv2\.", "neck.2."),
    (r"^neck\.layer_norm2\.", "neck.3."),
    (r"\.layer_norm([12])\.", r".norm\1."),
    (r"\.mlp\.lin([12])\.", r".mlp.fc\1."),
)
JAX = compiled(
    (r"^embedding\.", "patch_embed.proj."),
    (r"^cls$", "cls_token"),
    (r"^(?:Transformer\.posembed_input\.)?pos_embedding$", "pos_embed"),
    (r"^Transformer\.encoder_norm\.", "norm."),
    (r"^Transformer\.encoderblock_(\d+)\.", r"blocks.\1."),
    (r"^MAPHead_0\.", "attn_pool."),
    (r"^pre_logits\.", "head.pre_logits."),
    (r"\.LayerNorm_0\.", ".norm1."),
    (r"\.LayerNorm_[12]\.", ".norm2."),
    (r"\.MlpBlock_\d\.Dense_0\.", ".mlp.fc1."),
    (r"\.MlpBlock_\d\.Dense_1\.", ".mlp.fc2."),
    (r"\.MultiHeadDotProductAttention_\d\.query\.", ".attn.q."),
    (r"\.MultiHeadDotProductAttention_\d\.key\.", ".attn.k."),
    (r"\.MultiHeadDotProductAttention_\d\.value\.", ".attn.v."),
    (r"\.MultiHeadDotProductAttention_\d\.out\.", ".attn.proj."),
    (r"\.scale$", ".weight"),
)
STACKED = ".encoderblock."  # all blocks in one array
MAKERS: tuple[tuple[re.Pattern[str], Rules], ...] = (
    (re.compile(r"transformer\.resblocks\.0\.ln_1\.weight"), CLIP),
    (re.compile(r"conv_proj\.weight"), TORCHVISION),
    (re.compile(r"(?:blocks|layers)\.0\.mlp\.lin1\.weight"), SAM),
)


def from_other_makers(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Rename the tensors of a file in one of these namings; others come back as they are."""
    if "embedding.kernel" in tensors:
        return _from_jax(tensors)
    for mark, rules in MAKERS:
        if any(mark.fullmatch(name) for name in tensors):
            return with_batch(renamed(tensors, rules))
    return tensors


def _from_jax(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, tensor in renamed(_unstacked(tensors), JAX).items():
        layer = name.removesuffix(".kernel")
        if layer != name:
            found[f"{layer}.weight"] = _kernel(layer, tensor)
        else:
            found[name] = tensor.flatten() if ".attn." in name else tensor
    return with_fused_attention(found)


def _kernel(layer: str, kernel: Tensor) -> Tensor:
    """Turn a kernel, inputs first, into a weight, outputs first; heads are joined."""
    if kernel.ndim == 4:
        return kernel.permute(3, 2, 0, 1)
    if kernel.ndim == 3:
        kernel = kernel.flatten(0, 1) if layer.endswith(".proj") else kernel.flatten(1)
    return kernel.T


def _unstacked(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    single: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if STACKED not in name:
            single[name] = tensor
            continue
        for number, part in enumerate(tensor):
            single[name.replace(STACKED, f".encoderblock_{number}.")] = part
    return single
