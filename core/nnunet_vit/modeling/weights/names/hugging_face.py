"""Hugging Face's names of a ViT's tensors, turned into those of the networks' makers."""

from torch import Tensor

from nnunet_vit.modeling.weights.names.renaming import (
    compiled,
    join,
    renamed,
    with_batch,
    with_fused_attention,
)

# DINOv2 and DINOv3 as they lie on disk and as transformers 5 holds them in memory; ViT, ViTMAE,
# DeiT, and the vision towers of CLIP and SigLIP.
NAMES = compiled(
    (r"^embeddings\.patch_embeddings?\.(?:projection\.)?", "patch_embed.proj."),
    (r"^embeddings\.position_embedding(?:s|\.weight)$", "pos_embed"),
    (r"^embeddings\.class_embedding$", "cls_token"),
    (r"^embeddings\.distillation_token$", "dist_token"),
    (r"^embeddings\.", ""),
    (r"^(?:post_)?layernorm\.", "norm."),
    (r"^pre_layrnorm\.", "norm_pre."),
    (r"^(?:model\.|encoder\.)?layers?\.(\d+)\.", r"blocks.\1."),
    (r"\.(?:self_attn|attention)\.(?:attention\.)?(?:query|q_proj)\.", ".attn.q."),
    (r"\.(?:self_attn|attention)\.(?:attention\.)?(?:key|k_proj)\.", ".attn.k."),
    (r"\.(?:self_attn|attention)\.(?:attention\.)?(?:value|v_proj)\.", ".attn.v."),
    (r"\.(?:self_attn|attention)\.(?:output\.dense|o_proj|out_proj)\.", ".attn.proj."),
    (r"\.layer_scale([12])\.lambda1$", r".ls\1.gamma"),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.layer_norm([12])\.", r".norm\1."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
    (r"\.mlp\.weights_in\.", ".mlp.w12."),
    (r"\.mlp\.weights_out\.", ".mlp.w3."),
)
COUNTERS = "embeddings.position_ids"  # 0, 1, 2 …: no weights
MARK = "embeddings."


def from_hugging_face(tensors: dict[str, Tensor], packed: bool) -> dict[str, Tensor]:
    """Rename a Hugging Face ViT's tensors; others come back as they are.

    Args:
        tensors: of the file, by name.
        packed: whether the backbone has the two first layers of a gated MLP in one.
    """
    if not any(name.startswith(MARK) for name in tensors):
        return tensors
    kept = {name: tensor for name, tensor in tensors.items() if name != COUNTERS}
    named = with_fused_attention(with_batch(renamed(kept, NAMES)))
    return _with_one_mlp(named, packed)


def _with_one_mlp(tensors: dict[str, Tensor], packed: bool) -> dict[str, Tensor]:
    gates = [name for name in tensors if ".mlp.gate_proj." in name]
    layers = {name.split(".gate_proj.")[0] for name in gates}
    named = dict(tensors)
    for gate in gates if packed else ():
        up = gate.replace(".gate_proj.", ".up_proj.")
        parts = {"gate": tensors[gate], "up": tensors.get(up)}
        join(named, [gate, up], parts, whole=gate.replace(".gate_proj.", ".w12."))
    return {_mlp_name(name, layers): tensor for name, tensor in named.items()}


def _mlp_name(name: str, gated_layers: set[str]) -> str:
    layer, dot, part = name.partition(".mlp.")
    gated = layer + ".mlp" in gated_layers
    first, last = (".w2.", ".w3.") if gated else (".fc1.", ".fc2.")
    ours = (dot + part).replace(".gate_proj.", ".w1.").replace(".up_proj.", first)
    return layer + ours.replace(".down_proj.", last)
