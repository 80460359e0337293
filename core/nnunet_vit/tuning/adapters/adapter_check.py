"""Proof that each adapter reaches the features: a dead one would neither learn nor complain."""

from typing import TYPE_CHECKING, Any

from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.tuning.adapters.adapter_names import adapted_layers, layer_of
from nnunet_vit.tuning.adapters.copy_structure import copy_structure

if TYPE_CHECKING:
    from torch import nn

PATCHES = 4  # along an edge, where the model does not say what size it was built for


def check_adapters(model: "nn.Module") -> None:
    """Refuse a model with an adapter that has no influence on its features.

    Raises:
        ModelError: there are such adapters; the text names their layers.
    """
    idle = idle_adapters(model)
    if idle:
        raise ModelError(
            f"Adapters have no effect on {len(idle)} layers: {shortened(idle)}: timm reads their "
            "weights past the adapter.",
            fix="name other layers in lora.target_modules, for example [proj, fc1, fc2].",
        )


def idle_adapters(model: "nn.Module") -> list[str]:
    """Return the names of adapted layers without influence on the model's last feature map.

    Each block's map goes into the next one's, so what moves any map moves the last. The features
    are computed once on the meta device, without memory or time.
    """
    import torch

    with torch.inference_mode(False), torch.enable_grad():  # wherever the network is built
        fake: Any = copy_structure(model, lambda tensor: torch.empty_like(tensor, device="meta"))
        images = torch.empty(1, *_input_size(fake), device="meta")
        # SAM's norm is a neck with other channels; no adapter lies in it
        maps = fake.forward_intermediates(images, indices=1, norm=False, intermediates_only=True)
        if maps[-1].requires_grad:  # else no adapter at all is on the way to it
            maps[-1].sum().backward()
    parameters = dict(fake.named_parameters())
    layers = adapted_layers(parameters)
    idle = [n for n, p in parameters.items() if p.requires_grad and p.grad is None]
    return list(dict.fromkeys(layer_of(name, layers) for name in idle))


def _input_size(model: Any) -> tuple[int, int, int]:  # noqa: ANN401
    """Return channels, height and width of images that the model takes."""
    from torch import nn

    stem = getattr(model, "patch_embed", None) or model.embeds  # NaFlex has no patch_embed
    patch = stem.patch_size if isinstance(stem.patch_size, tuple) else (stem.patch_size,) * 2
    convolution = next((m for m in stem.modules() if isinstance(m, nn.Conv2d)), None)
    if convolution is None:  # NaFlex cuts the patches out itself
        channels = stem.proj.in_features // (patch[0] * patch[1])
    else:
        channels = convolution.in_channels
    height, width = getattr(stem, "img_size", None) or [PATCHES * edge for edge in patch]
    return channels, height, width
