"""Which linear layers of the blocks get adapters."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from nnunet_vit.errors import ConfigError

if TYPE_CHECKING:
    from torch import nn

# timm's spellings of the projection that feeds the attention
INPUT_PROJECTIONS = (("qkv",), ("q_proj", "k_proj", "v_proj"), ("in_proj",))


def target_names(model: "nn.Module", named: Sequence[str] | None) -> list[str]:
    """Return the names of the layers to adapt: those named, or else the attention's input.

    Raises:
        ConfigError: no linear layer of the blocks has one of the names.
    """
    layers = _layers_of_blocks(model)
    last_parts = {name.rpartition(".")[2] for name in layers}
    if named is None:
        named = next((names for names in INPUT_PROJECTIONS if last_parts.issuperset(names)), ())
        if not named:
            raise ConfigError(
                "lora.target_modules: null, but the blocks have no qkv, q_proj or in_proj.",
                fix=f"name some of their layers: {_listed(last_parts)}.",
            )
    for target in named:
        pattern = re.compile(target_pattern([target]))
        if not any(pattern.fullmatch(name) for name in layers):
            raise ConfigError(
                f"lora.target_modules: no linear layer of the blocks is named '{target}'; "
                f"there are: {_listed(last_parts)}."
            )
    return list(named)


def target_pattern(names: Sequence[str]) -> str:
    """Return the regular expression of the full names of such layers inside blocks."""
    # a bare list would also match patch_embed.proj, a convolution outside the blocks
    alternatives = "|".join(re.escape(name) for name in names)
    return rf"(.*\.)?blocks\.\d+\.(.*\.)?({alternatives})"


def _layers_of_blocks(model: "nn.Module") -> list[str]:
    from torch import nn

    inside = re.compile(r"(.*\.)?blocks\.\d+\..*")
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    return [name for name in linear if inside.fullmatch(name)]


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
