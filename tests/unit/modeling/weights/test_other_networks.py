"""Networks that are recognised and not supported, adapters, and other sets of tokens."""

import pytest
import torch

pytestmark = pytest.mark.unit

VIT, SIZE = "vit_base_patch16_224", (64, 64)
NETWORKS = {
    "a Swin transformer": [
        "layers.0.blocks.0.attn.relative_position_bias_table",
        "swin.encoder.layers.0.blocks.0.attention.self.query.weight",
        "backbone.layers.1.blocks.0.norm1.weight",
    ],
    "a ConvNeXt": [
        "stages.0.0.dwconv.weight",
        "stages.0.blocks.0.conv_dw.weight",
        "convnext.encoder.stages.0.layers.0.dwconv.weight",
    ],
    "a ResNet": [
        "layer1.0.conv1.weight",
        "backbone.layer3.0.downsample.0.weight",
        "resnet.encoder.stages.0.layers.0.layer.0.convolution.weight",
    ],
    "a BEiT in Hugging Face's names": ["beit.encoder.layer.0.lambda_1"],
    "a ViT in the names of OpenMMLab (mmseg, mmpretrain)": [
        "backbone.layers.0.ffn.layers.0.0.weight"
    ],
    "a ViT in MONAI's names": ["vit.patch_embedding.patch_embeddings.weight"],
    "a SegFormer or PVT": [
        "block1.0.attn.q.weight",
        "segformer.encoder.patch_embeddings.0.proj.weight",
    ],
    "a detector of the DETR family": ["transformer.encoder.layers.0.linear1.weight"],
    "a network of nnU-Net": ["encoder.stages.0.0.convs.0.conv.weight"],
    "a language model": ["bert.embeddings.word_embeddings.weight"],
}


@pytest.mark.parametrize(
    ("network", "name"), [(network, name) for network, names in NETWORKS.items() for name in names]
)
def test_networks_are_recognised_by_their_names(weights_file, refusal, network, name):
    tensors = {name: torch.zeros(2, 2), "patch_embed.proj.weight": torch.zeros(64, 3, 4, 4)}
    text = refusal(weights_file(tensors))
    assert text.startswith(
        f"{{file}} does not fit the backbone: by its names it is {network}, which is recognised "
        "and not supported ("
    )
    assert text.endswith("docs/weights.md lists what is understood.")


ADAPTERS = [
    "attn.qkv.lora_A.default.weight",
    "attn.qkv.lora_A.weight",
    "attn.qkv.lora_B",
    "attn.qkv.lora_magnitude_vector.default.weight",
    "mlp.fc1.ia3_l.default",
    "mlp.fc1.hada_w1_a.default",
    "mlp.fc1.oft_r.default",
]


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_adapters_that_are_not_merged_are_never_dropped(source, weights_file, refusal, adapter):
    tensors = {}
    for name, value in source(VIT, SIZE).state_dict().items():
        parts = name.split(".")
        wrapped = [*parts[:-1], "base_layer", parts[-1]] if "qkv" in parts else parts
        tensors[".".join(("base_model", "model", *wrapped))] = value
    tensors[f"base_model.model.blocks.0.{adapter}"] = torch.ones(2, 2)
    settings = {"depth": 2, "embed_dim": 48, "num_heads": 2}
    assert refusal(weights_file(tensors), VIT, SIZE, **settings) == (
        "{file} holds adapters (LoRA or the like) that are not merged into the weights: "
        f"blocks.0.{adapter}. They would be lost. "
        "Fix: where the file was made, save model.merge_and_unload().state_dict()."
    )


@pytest.mark.parametrize(
    ("theirs", "ours", "words"),
    [
        (
            "vit_base_patch16_siglip_224",
            "vit_base_patch16_224",
            "the file has no class token (SigLIP's have none), and the backbone has one. Fix: "
            "choose a ViT of timm without a class token, such as timm:vit_…_siglip_….",
        ),
        (
            "vit_base_patch16_224",
            "vit_base_patch16_siglip_224",
            "the file has a class token, and the backbone has none. Fix: choose a ViT of timm "
            "with a class token.",
        ),
        (
            "vit_base_patch16_clip_224",
            "vit_base_patch16_224",
            "it is the vision tower of a CLIP, with a norm before the blocks. Fix: choose "
            "timm:vit_…_clip_…, or …_clip_quickgelu_… for OpenAI's own weights.",
        ),
        (
            "samvit_base_patch16",
            "vit_base_patch16_224",
            "it is the image encoder of SAM. Fix: choose timm:samvit_base_patch16 or its sizes.",
        ),
    ],
)
def test_other_tokens_are_said_in_words(vit, weights_file, refusal, theirs, ours, words):
    settings = {"depth": 2, "embed_dim": 48, "num_heads": 2}
    pool = {} if theirs.startswith("sam") else {"global_pool": ""}
    file = weights_file(vit(theirs, SIZE, **settings, **pool).state_dict())
    text = refusal(file, ours, SIZE, **settings, **({"global_pool": ""} if "sig" in ours else {}))
    assert text == f"{{file}} does not fit the backbone: {words}"
