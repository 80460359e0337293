"""Files of another network or form than a backbone can take: refused by their marks."""

import re
from pathlib import Path

from torch import Tensor

from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.modeling.weights.names.candidates import Reading

ADAPTERS = re.compile(
    r"(?:.*\.)?(?:lora_\w+|ia3_l|hada_\w+|lokr_\w+|oft_\w+|boft_\w+|hra_u|vera_\w+|fourierft_\w+"
    r"|modules_to_save|original_module)(?:\..*)?"
)
NETWORKS = {  # what is recognised by a name and not supported
    "a Swin transformer": r"layers\.\d+\.blocks\.\d+\.(?:attn|attention|norm1|layernorm_before)\.",
    "a Hiera (SAM 2)": r"pos_embed_window$|hiera\.",
    "a network of nnU-Net": r"(?:encoder|decoder)\.stages\.\d+\.(?:\d+\.)?(?:convs|blocks)\.\d+\.",
    "a ConvNeXt": r"\.(?:dwconv|conv_dw)\.|downsample_layers\.\d+\.\d+\.|\.grn\.",
    "a ResNet": r"(?:^|\.)layer[1-4]\.0\.(?:conv1|downsample)\.|encoder\.stages\.\d+\.layers\.\d+\."
    r"layer\.\d+\.convolution\.|res[2-5]\.0\.conv1\.",
    "a BEiT in Hugging Face's names": r"relative_position_bias\.relative_position_bias_table$"
    r"|encoder\.layers?\.\d+\.lambda_1$",
    "a ViT in the names of OpenMMLab (mmseg, mmpretrain)": r"layers\.\d+\.ffn\.layers\.",
    "a ViT in MONAI's names": r"patch_embedding\.(?:patch_embeddings|position_embeddings)",
    "a SegFormer or PVT": r"(?:^|\.)block[1-4]\.0\.|patch_embed[1-4]\."
    r"|patch_embeddings\.\d+\.proj\.",
    "a detector of the DETR family": r"transformer\.(?:en|de)coder\.layers\.\d+\.|input_proj\.0",
    "a U-Net": r"(?:^|\.)(?:down|up|inc|outc)s?\d*\.(?:\d+\.)?(?:maxpool_conv|double_conv)\.",
    "an EfficientNet": r"(?:^|\.)(?:conv_stem|_conv_stem)\.|\._depthwise_conv\.",
    "a VGG or AlexNet": r"(?:^|\.)features\.0\.(?:weight|bias)$",
    "a language model": r"word_embeddings\.weight$|embed_tokens\.weight$|wte\.weight$"
    r"|token_embedding(?:\.weight)?$",
}
CLIP = "norm_pre.weight"
SAM = "blocks.0.attn.rel_pos_h"
TOKEN = "cls_token"


def refuse_other_networks(reading: Reading, own: dict[str, Tensor], path: Path) -> None:
    """Refuse what is recognised and cannot be this backbone, in words rather than in names.

    Raises:
        ModelError: tensors without plain values, adapters that are not merged, another kind of
            network, or another set of tokens.
    """
    _refuse_odd_tensors(reading, path)
    _refuse_adapters(reading, path)
    blocks = [name for name in own if name.startswith("blocks.")]
    named = sum(name in reading.tensors for name in blocks)
    if named * 2 < len(blocks):
        _refuse_networks(reading, path)
    elif all(_has_shape(name, reading.tensors, own) for name in blocks if "norm" in name):
        _refuse_tokens(reading.tensors, own, path)


def _refuse_odd_tensors(reading: Reading, path: Path) -> None:
    odd = reading.layout.odd
    if not odd:
        return
    kinds = " and ".join(sorted(set(odd.values())))
    how = {
        "{'sparse'}": "{name: tensor.to_dense() for name, tensor in model.state_dict().items()}",
        "{'quantized'}": "the weights from before they were quantized",
        "{'distributed'}": "the whole model, gathered with torch.distributed.checkpoint.state_dict."
        "get_model_state_dict and StateDictOptions(full_state_dict=True)",
    }.get(str(set(odd.values())), "model.state_dict() of the trained model, on the CPU")
    raise ModelError(
        f"{path} holds {len(odd)} tensors without plain values ({kinds}): {shortened(odd)}.",
        fix=f"where the file was made, save {how}.",
    )


def _refuse_adapters(reading: Reading, path: Path) -> None:
    adapters = [name for name in reading.tensors if ADAPTERS.fullmatch(name)]
    if adapters:
        raise ModelError(
            f"{path} holds adapters (LoRA or the like) that are not merged into the weights: "
            f"{shortened(adapters)}. They would be lost.",
            fix="where the file was made, save model.merge_and_unload().state_dict().",
        )


def _refuse_networks(reading: Reading, path: Path) -> None:
    names = [*reading.tensors, *reading.rest]
    for network, mark in NETWORKS.items():
        if any(re.search(mark, name) for name in names):
            raise ModelError(
                f"{path} does not fit the backbone: by its names it is {network}, which is "
                f"recognised and not supported ({shortened(names)}).",
                fix="give the weights of a plain ViT in the names of timm, Meta or Hugging Face: "
                "docs/weights.md lists what is understood.",
            )


def _refuse_tokens(tensors: dict[str, Tensor], own: dict[str, Tensor], path: Path) -> None:
    problem = fix = ""
    if SAM in tensors and SAM not in own:
        problem, fix = "it is the image encoder of SAM", "timm:samvit_base_patch16 or its sizes"
    elif CLIP in tensors and CLIP not in own:
        problem = "it is the vision tower of a CLIP, with a norm before the blocks"
        fix = "timm:vit_…_clip_…, or …_clip_quickgelu_… for OpenAI's own weights"
    elif TOKEN in own and TOKEN not in tensors:
        problem = "the file has no class token (SigLIP's have none), and the backbone has one"
        fix = "a ViT of timm without a class token, such as timm:vit_…_siglip_…"
    elif TOKEN in tensors and TOKEN not in own:
        problem = "the file has a class token, and the backbone has none"
        fix = "a ViT of timm with a class token"
    if problem:
        raise ModelError(f"{path} does not fit the backbone: {problem}.", fix=f"choose {fix}.")


def _has_shape(name: str, tensors: dict[str, Tensor], own: dict[str, Tensor]) -> bool:
    return name in tensors and tensors[name].shape == own[name].shape
