"""Files in other makers' names: transformers, torchvision and timm's own loader are the oracles."""

import re

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from nnunet_vit.modeling.weights import load_backbone_weights
from nnunet_vit.modeling.weights.shapes.grids import FileGrid

pytestmark = pytest.mark.unit

WIDTH = 48
TINY = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2}
TINY = {**TINY, "intermediate_size": 4 * WIDTH, "image_size": 64, "patch_size": 16}
TIMM = {"embed_dim": WIDTH, "depth": 2, "num_heads": 2}
PLAIN = "vit_base_patch16_224"


def random_values(model):
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0.1, 0.2)
    return model.eval()


def images_of(height, width):
    return torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(5))


def assert_close(ours, theirs):
    assert ours.shape == theirs.shape
    assert (ours - theirs).norm() / theirs.norm() <= 1e-5


@pytest.fixture
def from_hub(tmp_path):
    """`from_hub(model, config, **more)`: a small model of transformers, and where it is saved."""
    transformers = pytest.importorskip(
        "transformers", reason="the oracle: pip install 'transformers>=4.56' (extra test)"
    )

    def build(model, config, **more):
        made = getattr(transformers, model)(getattr(transformers, config)(**{**TINY, **more}))
        random_values(made).save_pretrained(tmp_path / "snapshot")
        return made, tmp_path / "snapshot"

    return build


@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("vit_base_patch16_siglip_224", "gelu"),
        ("vit_so400m_patch16_siglip_256", "gelu_pytorch_tanh"),
    ],
)
@pytest.mark.parametrize("what", ["tower", "both towers"])
def test_siglip_of_hugging_face(vit, from_hub, what, name, activation):
    more = {**TIMM, "mlp_ratio": 4, "global_pool": ""}
    model, vision = vit(name, (64, 64), **more), {"hidden_act": activation}
    if what == "tower":
        oracle, path = from_hub("SiglipVisionModel", "SiglipVisionConfig", **vision)
    else:
        text = {**TINY, "vocab_size": 9, "max_position_embeddings": 8}
        vision |= TINY
        both, path = from_hub("SiglipModel", "SiglipConfig", vision_config=vision, text_config=text)
        oracle = both.vision_model
    coverage = load_backbone_weights(model, path)
    assert (coverage.share, coverage.resized, coverage.missing) == (1, (), ())
    with torch.no_grad():
        images = images_of(64, 64)
        assert_close(model.eval().forward_features(images), oracle(images).last_hidden_state)


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu"])
def test_clip_of_hugging_face(vit, from_hub, activation):
    """Its norm after the last block is for the class token alone there, for all tokens in timm."""
    name = f"vit_base_patch16_clip{'_quickgelu' if activation == 'quick_gelu' else ''}_224"
    oracle, path = from_hub("CLIPVisionModel", "CLIPVisionConfig", hidden_act=activation)
    model = vit(name, (64, 64), **TIMM)
    coverage = load_backbone_weights(model, path)
    assert (coverage.share, coverage.skipped, coverage.missing) == (1, (), ())
    tower = getattr(oracle, "vision_model", oracle)
    with torch.no_grad():
        images = images_of(64, 64)
        theirs = tower.post_layernorm(tower(images).last_hidden_state)
        assert_close(model.eval().forward_features(images), theirs)


def test_distilled_deit_of_hugging_face(vit, from_hub):
    oracle, path = from_hub("DeiTModel", "DeiTConfig", layer_norm_eps=1e-6)
    model = vit("deit_base_distilled_patch16_224", (64, 64), **TIMM)
    assert load_backbone_weights(model, path).share == 1
    with torch.no_grad():
        images = images_of(64, 64)
        assert_close(model.eval().forward_features(images), oracle(images).last_hidden_state)


SAM = {"depth": 2, "embed_dim": WIDTH, "num_heads": 2, "global_attn_indexes": (1,)}


def test_the_encoder_of_sam_of_hugging_face(vit, from_hub):
    more = {"output_channels": 256, "window_size": 14, "global_attn_indexes": [1]}
    more |= {"num_pos_feats": 8, "mlp_dim": 4 * WIDTH, "layer_norm_eps": 1e-6}
    oracle, path = from_hub("SamVisionModel", "SamVisionConfig", **more)
    model = vit("samvit_base_patch16", (64, 64), **SAM)
    coverage = load_backbone_weights(model, path)
    assert (coverage.share, coverage.skipped) == (1, ())
    with torch.no_grad():
        images = images_of(64, 64)
        theirs = oracle(images).last_hidden_state
        assert_close(model.eval().forward_features(images), theirs)


@pytest.mark.parametrize("prefix", ["image_encoder.", ""])
def test_the_encoder_of_sam_alone_in_its_makers_names(vit, weights_file, prefix):
    trained = random_values(vit("samvit_base_patch16", (64, 64), **SAM))
    names = {name: name.replace(".mlp.fc", ".mlp.lin") for name in trained.state_dict()}
    tensors = {prefix + names[name]: value for name, value in trained.state_dict().items()}
    if prefix:
        tensors["mask_decoder.iou_token.weight"] = torch.zeros(1, 8)
    model = vit("samvit_base_patch16", (64, 64), **SAM)
    assert load_backbone_weights(model, weights_file(tensors)).share == 1
    own = model.state_dict()
    assert all(torch.equal(own[name], value) for name, value in trained.state_dict().items())


@pytest.mark.parametrize("older", [False, True])
def test_torchvision(vit, weights_file, older):
    """Its first release named the layers of the MLP otherwise; it computes at one size alone."""
    torchvision = pytest.importorskip("torchvision", reason="the oracle: pip install torchvision")
    oracle = torchvision.models.VisionTransformer(64, 16, 2, 2, WIDTH, 4 * WIDTH)
    tensors = random_values(oracle).state_dict()
    if older:
        names = {"mlp.0.": "mlp.linear_1.", "mlp.3.": "mlp.linear_2."}
        pattern = re.compile("|".join(map(re.escape, names)))
        tensors = {pattern.sub(lambda m: names[m[0]], k): v for k, v in tensors.items()}
    model = vit(PLAIN, (64, 64), **TIMM)
    coverage = load_backbone_weights(model, weights_file(tensors, "vit.pth"))
    assert (coverage.share, coverage.skipped) == (1, ("head.weight", "head.bias"))
    with torch.no_grad():
        images = images_of(64, 64)
        tokens = oracle._process_input(images)
        tokens = torch.cat([oracle.class_token.expand(2, -1, -1), tokens], dim=1)
        assert_close(model.eval().forward_features(images), oracle.encoder(tokens))


def as_jax(later=False):
    """Return arrays under the names of JAX's first ViTs, or of big_vision."""
    generator = np.random.default_rng(3)
    heads, width = 2, WIDTH // 2
    block = "Transformer/encoderblock_{}/"
    attention = "MultiHeadDotProductAttention_" + ("0/" if later else "1/")
    norms, mlp = (("LayerNorm_0", "LayerNorm_1" if later else "LayerNorm_2"), "MlpBlock_")
    mlp += "0/" if later else "3/"
    shapes = {
        "cls": (1, 1, WIDTH),
        "embedding/kernel": (16, 16, 3, WIDTH),
        "embedding/bias": (WIDTH,),
        ("pos_embedding" if later else "Transformer/posembed_input/pos_embedding"): (1, 17, WIDTH),
        "Transformer/encoder_norm/scale": (WIDTH,),
        "Transformer/encoder_norm/bias": (WIDTH,),
        "head/kernel": (WIDTH, 7),
        "head/bias": (7,),
    }
    if later:
        shapes["pos_embedding"] = (1, 16, WIDTH)
    for number in range(2):
        start = block.format(number)
        for norm in norms:
            shapes |= {f"{start}{norm}/scale": (WIDTH,), f"{start}{norm}/bias": (WIDTH,)}
        for part in ("query", "key", "value"):
            shapes[f"{start}{attention}{part}/kernel"] = (WIDTH, heads, width)
            shapes[f"{start}{attention}{part}/bias"] = (heads, width)
        shapes |= {
            f"{start}{attention}out/kernel": (heads, width, WIDTH),
            f"{start}{attention}out/bias": (WIDTH,),
            f"{start}{mlp}Dense_0/kernel": (WIDTH, 4 * WIDTH),
            f"{start}{mlp}Dense_0/bias": (4 * WIDTH,),
            f"{start}{mlp}Dense_1/kernel": (4 * WIDTH, WIDTH),
            f"{start}{mlp}Dense_1/bias": (WIDTH,),
        }
    return {n: generator.normal(size=s).astype("float32") for n, s in shapes.items()}


def test_the_archives_of_numpy_that_augreg_was_published_in(vit, tmp_path):
    arrays = as_jax()
    np.savez(tmp_path / "augreg.npz", **arrays)
    expected, model = vit(PLAIN, (64, 64), **TIMM), vit(PLAIN, (64, 64), **TIMM)
    expected.load_pretrained(str(tmp_path / "augreg.npz"))
    coverage = load_backbone_weights(model, tmp_path / "augreg.npz")
    assert (coverage.share, coverage.skipped) == (1, ("head.weight", "head.bias"))
    own = model.state_dict()
    assert all(torch.equal(own[name], value) for name, value in expected.state_dict().items())


@pytest.mark.parametrize("stacked", [False, True])
def test_later_archives_of_jax(vit, tmp_path, stacked):
    """big_vision's names, also with all blocks in one array, as timm reads them block by block."""
    arrays = {f"params/img/{n}": v for n, v in as_jax(later=True).items() if n != "cls"}
    settings = {**TIMM, "class_token": False, "global_pool": ""}
    expected, model = vit(PLAIN, (64, 64), **settings), vit(PLAIN, (64, 64), **settings)
    np.savez(tmp_path / "single.npz", **arrays)
    expected.load_pretrained(str(tmp_path / "single.npz"))
    if stacked:
        first = {n: v for n, v in arrays.items() if "encoderblock_0" in n}
        rest = {n: v for n, v in arrays.items() if "encoderblock_" not in n}
        both = {
            n.replace("_0/", "/", 1): np.stack([v, arrays[n.replace("block_0", "block_1")]])
            for n, v in first.items()
        }
        np.savez(tmp_path / "stacked.npz", **rest, **both)
    assert load_backbone_weights(model, tmp_path / f"{'stacked' if stacked else 'single'}.npz")
    own = model.state_dict()
    assert all(torch.equal(own[name], value) for name, value in expected.state_dict().items())


def test_a_clip_tower_that_lies_bare(vit, weights_file):
    """The half of OpenAI's file that makes features, without `visual.` before its names."""
    name = "vit_base_patch16_clip_quickgelu_224"
    trained = random_values(vit(name, (64, 64), **TIMM)).state_dict()
    names = {"patch_embed.proj": "conv1", "norm_pre": "ln_pre", "attn.qkv.": "attn.in_proj_"}
    names |= {"attn.proj": "attn.out_proj", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    tensors = {}
    for key, value in trained.items():
        for ours, theirs in names.items():
            key = key.replace(ours, theirs)
        key = re.sub(r"^norm\.", "ln_post.", key).replace("blocks.", "transformer.resblocks.")
        tensors[re.sub(r"\.norm(\d)", r".ln_\1", key)] = value
    tensors["class_embedding"] = tensors.pop("cls_token")[0, 0].clone()
    tensors["positional_embedding"] = tensors.pop("pos_embed")[0].clone()
    model = vit(name, (64, 64), **TIMM)
    assert load_backbone_weights(model, weights_file(tensors)).share == 1
    own = model.state_dict()
    assert all(torch.equal(own[key], value) for key, value in trained.items())


@pytest.mark.parametrize("theirs", ["has", "lacks"])
@pytest.mark.parametrize("size", [(64, 64), (32, 96)])
def test_the_class_tokens_position_moves_to_where_the_backbone_has_it(vit, tmp_path, theirs, size):
    """A network with a position for the class token is the same as one with it added already."""
    lacking = {**TIMM, "no_embed_class": True}
    there, wanted = (TIMM, lacking) if theirs == "has" else (lacking, TIMM)
    trained = random_values(vit(PLAIN, (64, 64), **there))
    save_file(trained.state_dict(), tmp_path / "weights.safetensors")
    model, grid = vit(PLAIN, size, **wanted), FileGrid((4, 4))
    assert load_backbone_weights(model, tmp_path / "weights.safetensors", grid=grid).share == 1
    same = vit(PLAIN, size, **there)
    load_backbone_weights(same, tmp_path / "weights.safetensors", grid=grid)
    with torch.no_grad():
        images = images_of(*size)
        assert_close(model.eval().forward_features(images), same.eval().forward_features(images))
