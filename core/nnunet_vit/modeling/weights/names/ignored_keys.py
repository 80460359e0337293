"""What pretraining leaves over, and what a backbone can do without: the short lists of names."""

import re
from collections.abc import Container

from torch import Tensor

EXTRA = (  # of a file, at the start of a name
    "head.",
    "head_dist.",
    "fc_norm.",
    "norm_pre_head.",
    "attn_pool.",
    "pooler.",
    "classifier.",
    "lm_head",
    "dino_head",
    "ibot_",
    "decoder",
    "mask_token",
    "masked_embed",
    "local_cls_norm",
)
FIXED = re.compile(  # rotary positions that no training changes; learned ones are rope.freqs
    r"(?:.*\.)?rope\w*\.(?:periods|bands|inv_freq|freqs_(?:cos|sin)|(?:cos|sin)(?:_\w+)?"
    r"|pos_embed(?:_cached)?|t_[xy])$"
)
COUNTER = re.compile(r"(?:.*\.)?(?:n_averaged|num_batches_tracked|num_updates|steps?|epoch|decay)$")
EXTRA_ENDS = (".bias_mask", ".relative_position_index")
MISSING = ("norm.", "fc_norm.", "head.", "head_dist.", "attn_pool.")
LOST_BIAS = (".qkv.bias", ".k_bias")

PARTS = re.compile(  # of a network: one without them is another one
    r"(?:.*\.)?(?:ls[12]\.gamma|gamma_[12]|[qk]_norm\.\w+|reg_token|dist_token)$"
)
BLOCK = re.compile(r"(?:.*\.)?blocks\.\d+\.")
INSIDE = re.compile(
    r"(?:blocks|layers|patch_embed|embeddings|pos_embed|norm_pre|rel_pos\w*|rope\w*)(?:\.|$)"
    r"|\w*(?:tokens?|pos_embed|position_embeddings?)$"
    # what is added to the tokens, apart from what heads compare them with
    r"|(?!(?:text|word|query|class|label|object|mask)_)\w*embed(?:ding)?s?(?:_\w+)?$"
    r"|(?:pos\w*|time|temporal|spatial|channel|band|scale|level|modal\w*|(?:token_)?type|view)"
    r"_embed\w*\."
)


def is_inside(name: str) -> bool:
    """Tell whether a tensor's name places it among the tokens or blocks of a ViT."""
    return INSIDE.match(name) is not None


def is_lacking(name: str, names: Container[str]) -> bool:
    """Tell whether a file without this tensor is of a network that has no such part.

    A file that lacks the whole block is an incomplete one.
    """
    block = BLOCK.match(name)
    return PARTS.match(name) is not None and (
        block is None or f"{block[0]}norm1.weight" in names or f"{block[0]}attn.qkv.weight" in names
    )


def may_be_left_over(name: str, tensor: Tensor, own: dict[str, Tensor]) -> bool:
    """Tell whether a backbone that lacks this tensor of a file is whole without it.

    A bias of the attention is, if it is zero, which judging.refuse_lost_bias looks at.
    """
    if name.startswith(EXTRA) or name.endswith(EXTRA_ENDS) or tensor.numel() == 0:
        return True
    if FIXED.match(name) or (tensor.numel() == 1 and COUNTER.match(name) and not is_inside(name)):
        return True
    if name.startswith("norm."):
        return not any(ours.startswith("norm.") for ours in own)
    return is_fused_bias(name, own)


def is_fused_bias(name: str, own: dict[str, Tensor]) -> bool:
    """Tell whether a name is that of a bias in an attention which the backbone has without it."""
    ending = next((end for end in LOST_BIAS if name.endswith(end)), None)
    return (
        ending is not None and name not in own and f"{name.removesuffix(ending)}.qkv.weight" in own
    )


def may_be_missing(name: str) -> bool:
    """Tell whether the features of the blocks do not depend on this tensor of the backbone."""
    return name.startswith(MISSING)
