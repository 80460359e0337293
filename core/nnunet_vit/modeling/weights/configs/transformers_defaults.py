"""What transformers takes where a config.json leaves a key out, by the kind of model."""

IMAGE = {"image_size": 224}


def _of(act: str, eps: float, heads: int = 12) -> dict[str, object]:
    return {"hidden_act": act, "layer_norm_eps": eps, "num_attention_heads": heads}


_CLIP = {**_of("quick_gelu", 1e-5), **IMAGE}
_SIGLIP = _of("gelu_pytorch_tanh", 1e-6)
_VIT = {**_of("gelu", 1e-12), **IMAGE}
_DINOV2 = {**_of("gelu", 1e-6), **IMAGE}
DEFAULTS: dict[str, dict[str, object]] = {
    "clip": _CLIP,
    "clip_vision_model": _CLIP,
    "siglip": {**_SIGLIP, **IMAGE},
    "siglip_vision_model": {**_SIGLIP, **IMAGE},
    "siglip2": _SIGLIP,  # of any image size
    "siglip2_vision_model": _SIGLIP,
    "vit": _VIT,
    "deit": _VIT,
    "vit_mae": _VIT,
    "ijepa": _VIT,
    "dinov2": _DINOV2,
    "dinov2_with_registers": _DINOV2,
    "dinov3_vit": {**_of("gelu", 1e-5, 6), **IMAGE, "rope_theta": 100.0},
}
