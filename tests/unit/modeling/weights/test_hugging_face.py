"""transformers is the oracle: what it saves, loaded by us, has the features that it computes.

Position embeddings are resized with the same antialiased filter by timm and, for DINOv2 with
registers, by transformers: compared at any size. For DINOv2 without registers transformers resizes
without antialiasing, and torch's two bicubic filters differ by a percent at every size; so there
the filter alone is exchanged in the oracle. DINOv3 has no embeddings to resize: its rotary
positions follow the size in both.
"""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from nnunet_vit.modeling.weights import load_backbone_weights

transformers = pytest.importorskip(
    "transformers", reason="the oracle: pip install 'transformers>=4.56' (extra test)"
)
pytestmark = pytest.mark.unit

WIDTH, PATCH, NATIVE = 48, 14, 56
TINY = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2}
TIMM = {"embed_dim": WIDTH, "depth": 2, "num_heads": 2}
V2 = {**TINY, "image_size": NATIVE, "patch_size": PATCH}
V3 = {**TINY, "image_size": 64, "patch_size": 16, "num_register_tokens": 4}
DINOV2 = ("vit_small_patch14_dinov2", "Dinov2Model", "Dinov2Config", V2)
REGISTERS = (
    "vit_small_patch14_reg4_dinov2",
    "Dinov2WithRegistersModel",
    "Dinov2WithRegistersConfig",
    {**V2, "num_register_tokens": 4},
)
GIANT = (
    "vit_giant_patch14_dinov2",
    "Dinov2Model",
    "Dinov2Config",
    {**V2, "use_swiglu_ffn": True},
)
DINOV3 = (
    "vit_small_patch16_dinov3_qkvb",
    "DINOv3ViTModel",
    "DINOv3ViTConfig",
    {**V3, "intermediate_size": 4 * WIDTH},
)
GATED = (
    "vit_small_plus_patch16_dinov3_qkvb",
    "DINOv3ViTModel",
    "DINOv3ViTConfig",
    {**V3, "intermediate_size": 4 * WIDTH, "use_gated_mlp": True, "hidden_act": "silu"},
)
PLAIN = (
    "vit_base_patch16_224",
    "ViTModel",
    "ViTConfig",
    {**TINY, "image_size": 64, "intermediate_size": 4 * WIDTH, "layer_norm_eps": 1e-6},
)
ALL = {
    "vit": PLAIN,
    "dinov2": DINOV2,
    "registers": REGISTERS,
    "giant": GIANT,
    "dinov3": DINOV3,
    "gated": GATED,
}


@pytest.fixture(scope="module")
def oracles():
    return {}


@pytest.fixture
def oracle(oracles):
    """`oracle(name)`: transformers' model with random values everywhere, biases and scales too."""

    def build(name):
        if name not in oracles:
            _, model, config, settings = ALL[name]
            torch.manual_seed(3)
            made = getattr(transformers, model)(getattr(transformers, config)(**settings)).eval()
            with torch.no_grad():
                for parameter in made.parameters():
                    parameter.normal_(0.1, 0.2)
            oracles[name] = made
        return oracles[name]

    return build


def assert_same_features(backbone, oracle, height, width):
    images = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        ours = backbone.eval().forward_features(images)
        theirs = oracle(images).last_hidden_state
    difference = (ours - theirs).norm() / theirs.norm()
    assert difference <= 1e-5


@pytest.mark.parametrize("name", list(ALL))
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_transformers_saves(vit, oracle, tmp_path, name, what):
    edge = ALL[name][3]["image_size"]
    model = vit(ALL[name][0], (edge, edge), **TIMM)
    oracle(name).save_pretrained(tmp_path)
    path = {"folder": tmp_path, "file": tmp_path / "model.safetensors"}[what]
    coverage = load_backbone_weights(model, path)
    assert (coverage.share, coverage.resized, coverage.missing) == (1, (), ())
    left_over = {"mask_token", "pooler.dense.weight", "pooler.dense.bias"}
    assert set(coverage.skipped) <= left_over | {f"blocks.{i}.attn.k_bias" for i in (0, 1)}
    assert_same_features(model, oracle(name), edge, edge)


@pytest.mark.parametrize("name", list(ALL))
@pytest.mark.parametrize("prefix", ["", "model.", "dinov2.", "dinov3_vit.", "module.backbone."])
def test_the_names_in_memory_behind_prefixes(vit, oracle, tmp_path, name, prefix):
    edge = ALL[name][3]["image_size"]
    model = vit(ALL[name][0], (edge, edge), **TIMM)
    tensors = {prefix + key: value for key, value in oracle(name).state_dict().items()}
    torch.save({**tensors, "classifier.weight": torch.zeros(2, WIDTH)}, tmp_path / "weights.bin")
    coverage = load_backbone_weights(model, tmp_path / "weights.bin")
    assert (coverage.share, "classifier.weight" in coverage.skipped) == (1, True)
    assert_same_features(model, oracle(name), edge, edge)


@pytest.mark.parametrize("name", ["dinov3", "gated"])
@pytest.mark.parametrize("size", [(96, 32), (48, 112)])
def test_dinov3_at_other_sizes_and_aspects(vit, oracle, tmp_path, name, size):
    model = vit(ALL[name][0], size, **TIMM)
    oracle(name).save_pretrained(tmp_path)
    assert load_backbone_weights(model, tmp_path).resized == ()
    assert_same_features(model, oracle(name), *size)


@pytest.mark.parametrize("size", [(112, 28), (42, 70), (28, 84), (112, 84)])
def test_dinov2_with_registers_at_other_sizes_and_aspects(vit, oracle, tmp_path, size):
    model = vit(ALL["registers"][0], size, **TIMM)
    oracle("registers").save_pretrained(tmp_path)
    assert load_backbone_weights(model, tmp_path).resized == ("pos_embed",)
    assert_same_features(model, oracle("registers"), *size)


@pytest.mark.parametrize("size", [(112, 84), (56, 126), (28, 112), (42, 14)])
def test_dinov2_at_other_sizes_with_an_antialiased_filter(vit, oracle, tmp_path, monkeypatch, size):
    model = vit(ALL["dinov2"][0], size, **TIMM)
    oracle("dinov2").save_pretrained(tmp_path)
    assert load_backbone_weights(model, tmp_path).resized == ("pos_embed",)
    embeddings = oracle("dinov2").embeddings

    def antialiased(tokens, height, width):
        learned = embeddings.position_embeddings
        grid = learned[:, 1:].unflatten(1, (4, 4)).permute(0, 3, 1, 2)
        size = (height // PATCH, width // PATCH)
        grid = torch.nn.functional.interpolate(grid, size=size, mode="bicubic", antialias=True)
        return torch.cat([learned[:, :1], grid.flatten(2).mT], dim=1)

    monkeypatch.setattr(embeddings, "interpolate_pos_encoding", antialiased)
    assert_same_features(model, oracle("dinov2"), *size)


def test_dinov3_without_a_bias_in_attention(vit, oracle, tmp_path):
    """Meta's released files hold zeros there, and timm's plain variants have no such bias."""
    tensors = oracle("dinov3").state_dict()
    zeros = {
        key: value * 0
        for key, value in tensors.items()
        if key.endswith(("q_proj.bias", "v_proj.bias"))
    }
    _, name, config, settings = DINOV3
    plain = getattr(transformers, name)(getattr(transformers, config)(**settings)).eval()
    plain.load_state_dict({**tensors, **zeros})
    plain.save_pretrained(tmp_path)
    model = vit("vit_small_patch16_dinov3", (64, 32), **TIMM)
    assert load_backbone_weights(model, tmp_path).share == 1
    assert_same_features(model, plain, 64, 32)


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
def test_a_snapshot_in_shards(vit, oracle, tmp_path, kind):
    oracle("dinov2").save_pretrained(tmp_path)
    whole = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    stem = {"safetensors": "model", "bin": "pytorch_model"}[kind]
    where = {
        key: f"{stem}-0000{1 + number % 2}-of-00002.{kind}" for number, key in enumerate(whole)
    }
    for file in set(where.values()):
        part = {key: value for key, value in whole.items() if where[key] == file}
        (save_file if kind == "safetensors" else torch.save)(part, tmp_path / file)
    index = tmp_path / f"{stem}.{kind}.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": where}))
    model = vit(DINOV2[0], (NATIVE, NATIVE), **TIMM)
    assert load_backbone_weights(model, tmp_path).share == 1
    assert_same_features(model, oracle("dinov2"), NATIVE, NATIVE)
