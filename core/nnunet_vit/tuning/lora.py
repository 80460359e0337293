"""LoRA (https://arxiv.org/abs/2106.09685) through peft: low-rank adapters, the rest frozen."""

import copy
import re
from typing import TYPE_CHECKING, Any, Literal

from nnunet_vit.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.config.models import ViTnnUNetConfig

NAME = "lora"
SUMMARY = "low-rank adapters in the blocks' linear layers; the pretrained weights stay frozen"
ADAPTERS = True


def tune(model: "nn.Module", run: "ViTnnUNetConfig") -> None:
    """Inject adapters into the blocks and prove that each of them reaches the output.

    Raises:
        ConfigError: no layer of the blocks has one of the target names.
        ModelError: an adapter has no influence on the features.
    """
    from peft import LoraConfig, inject_adapter_in_model

    _check_targets(model, run.lora.target_modules)
    adapters = LoraConfig(
        r=run.lora.r,
        lora_alpha=run.lora.lora_alpha,
        lora_dropout=run.lora.lora_dropout,
        target_modules=_pattern(run.lora.target_modules),
        init_lora_weights=_start(run.lora.r),
    )
    # injecting keeps timm's class and keys; get_peft_model would wrap and rename them
    inject_adapter_in_model(adapters, model)
    idle = idle_adapters(model)
    if idle:
        raise ModelError(
            f"LoRA has no effect on {len(idle)} layers: {_shortened(idle)}: timm reads their "
            "weights past the adapter.",
            fix="name other layers in lora.target_modules, for example [proj, fc1, fc2].",
        )


def idle_adapters(model: "nn.Module") -> list[str]:
    """Return the names of adapted layers without influence on the model's last feature map.

    The features are computed once on the meta device, without memory or time.
    """
    import torch

    shadow: Any = _shadow(model)
    height, width = shadow.patch_embed.img_size
    channels = shadow.patch_embed.proj.in_channels
    images = torch.empty(1, channels, height, width, device="meta")
    maps = shadow.forward_intermediates(images, indices=1, norm=False, intermediates_only=True)
    if maps[-1].requires_grad:  # else no adapter at all is on the way to it
        maps[-1].sum().backward()
    idle = [n for n, p in shadow.named_parameters() if p.requires_grad and p.grad is None]
    return list(dict.fromkeys(name.partition(".lora_")[0] for name in idle))


def _shadow(model: "nn.Module") -> "nn.Module":
    # what deepcopy finds in its memo is not copied: the shadow shares nothing and costs nothing
    import torch
    from torch import nn

    memo: dict[int, object] = {}
    for parameter in model.parameters():
        empty = torch.empty_like(parameter, device="meta")
        memo[id(parameter)] = nn.Parameter(empty, requires_grad=parameter.requires_grad)
    for buffer in model.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(model, memo)


def _start(rank: int) -> Literal["orthogonal", True]:
    # B = 0 lets A learn nothing in the first step; peft's orthogonal A and B are both alive, and
    # B A is 0 all the same. It needs an even rank.
    return "orthogonal" if rank % 2 == 0 else True


def _pattern(targets: list[str]) -> str:
    # a bare list would also match patch_embed.proj, a convolution outside the blocks
    names = "|".join(re.escape(target) for target in targets)
    return rf"(.*\.)?blocks\.\d+\.(.*\.)?({names})"


def _check_targets(model: "nn.Module", targets: list[str]) -> None:
    from torch import nn

    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    in_blocks = sorted({name.rpartition(".")[2] for name in linear if "blocks." in name})
    for target in targets:
        pattern = re.compile(_pattern([target]))
        if not any(pattern.fullmatch(name) for name in linear):
            raise ConfigError(
                f"lora.target_modules: no linear layer of the blocks is named '{target}'; "
                f"there are: {', '.join(in_blocks)}."
            )


def _shortened(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f", … ({len(names)} in all)" if len(names) > 3 else "")
