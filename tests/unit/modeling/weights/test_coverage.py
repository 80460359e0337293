"""How much of a backbone a file covers: reported by name, and how much must be."""

import pytest
import torch

from nnunet_vit.errors import ModelError
from nnunet_vit.modeling.weights import Coverage, load_backbone_weights

pytestmark = pytest.mark.unit

VIT, SIZE = "vit_base_patch16_224", (64, 64)


def test_all_that_was_done_is_named(source, blank, weights_file):
    trained = source(VIT, SIZE).state_dict()
    extra = {"mask_token": torch.zeros(1, 48), "decoder_pred.weight": torch.zeros(3, 3)}
    model = blank(VIT, (32, 64), 1)
    file = weights_file({"model": {**trained, **extra}, "ema": {"x.y": torch.ones(1)}}, "v.pth")
    coverage = load_backbone_weights(model, file)
    own = model.state_dict()
    total = sum(tensor.numel() for tensor in own.values())
    assert coverage == Coverage(
        file="v.pth",
        loaded=tuple(own),
        resized=("pos_embed", "patch_embed.proj.weight"),
        skipped=("mask_token", "decoder_pred.weight", "ema.x.y"),
        missing=(),
        parameters=total,
        all_parameters=total,
    )
    assert (coverage.tensors, coverage.share) == (30, 1.0)


def coverage_of(loaded=174, parameters=21_600_000, all_parameters=21_600_000, **names):
    empty = {"resized": (), "skipped": (), "missing": ()}
    return Coverage(
        file="vit.pth",
        loaded=tuple(str(number) for number in range(loaded)),
        parameters=parameters,
        all_parameters=all_parameters,
        **{**empty, **names},
    )


def test_a_line_for_people():
    decoder = tuple(f"decoder_blocks.{number}.norm1.bias" for number in range(31))
    biases = tuple(f"blocks.{number}.attn.qkv.bias" for number in range(12))
    coverage = coverage_of(
        resized=("pos_embed", "patch_embed.proj.weight"), skipped=("mask_token", *decoder, *biases)
    )
    assert coverage.summary() == (
        "vit.pth covers 100 % of the backbone: 174 tensors, 21.60 M parameters; "
        "resized: pos_embed, patch_embed.proj.weight; "
        "skipped: mask_token, 31 decoder tensors, 12 blocks.*.attn.qkv.bias tensors"
    )


@pytest.mark.parametrize(
    ("parameters", "text"),
    [(9_999, "99.9 %"), (9_120, "91.2 %"), (8_999, "89 %"), (1_250, "12 %"), (3, "0 %")],
)
def test_only_all_of_it_is_a_hundred_percent(parameters, text):
    line = coverage_of(2, parameters, 10_000, missing=("norm.weight",)).summary()
    assert line == (
        f"vit.pth covers {text} of the backbone: 2 tensors, {parameters} parameters; "
        "missing: norm.weight"
    )


@pytest.fixture
def part(source):
    """All but the second of two blocks: about half of the parameters."""
    trained = source(VIT, SIZE).state_dict()
    return {name: value for name, value in trained.items() if not name.startswith("blocks.1.")}


def test_what_is_expected_is_enough(part, blank, weights_file):
    model = blank(VIT, SIZE)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    tensors = {**part, "adapter.weight": torch.zeros(3)}
    coverage = load_backbone_weights(model, weights_file(tensors), expected_coverage=0.6)
    assert 0.7 < coverage.share < 0.71
    assert coverage.missing == tuple(name for name in before if name.startswith("blocks.1."))
    assert coverage.skipped == ("adapter.weight",)
    for name, value in model.state_dict().items():
        assert torch.equal(value, part.get(name, before[name]))


@pytest.mark.parametrize(
    "name",
    ["pos_embed_spatial", "time_embed", "channel_embed", "scale_embedding", "band_embed.weight"],
)
def test_what_is_added_to_the_tokens_is_refused_whatever_is_expected(
    part, blank, weights_file, name
):
    file = weights_file({**part, name: torch.zeros(1, 16, 48)})
    with pytest.raises(ModelError, match=f"; unknown {name}\\. Fix: "):
        load_backbone_weights(blank(VIT, SIZE), file, expected_coverage=0.5)


@pytest.mark.parametrize("name", ["class_embed.weight", "text_embeddings", "query_embed.weight"])
def test_what_a_head_compares_with_is_left_aside(part, blank, weights_file, name):
    file = weights_file({**part, name: torch.zeros(16, 48)})
    assert name in load_backbone_weights(blank(VIT, SIZE), file, expected_coverage=0.5).skipped


def test_less_than_expected_is_refused(part, blank, weights_file):
    file, model = weights_file(part), blank(VIT, SIZE)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(ModelError) as caught:
        load_backbone_weights(model, file, expected_coverage=0.95)
    assert str(caught.value) == (
        f"{file} does not fit the backbone: 18 of 30 tensors, 70 % of parameters covered where "
        "95 % is expected; missing blocks.1.norm1.weight, blocks.1.norm1.bias, "
        "blocks.1.attn.qkv.weight, … (12 in all). Fix: check model.backbone and "
        "model.backbone_size against the file; where it is known to hold less, write its share in "
        "model.expected_coverage."
    )
    assert all(torch.equal(model.state_dict()[name], value) for name, value in before.items())


@pytest.mark.parametrize("expected", [1.0, 0.999])
def test_the_argument_for_a_file_without_biases_of_qkv_is_named(
    source, blank, weights_file, expected
):
    file = weights_file(source(VIT, SIZE, qkv_bias=False).state_dict())
    with pytest.raises(ModelError) as caught:
        load_backbone_weights(blank(VIT, SIZE), file, expected_coverage=expected)
    assert caught.value.fix == (
        "model.backbone_arguments: {qkv_bias: false}: this network has the file's tensors."
    )
    assert load_backbone_weights(blank(VIT, SIZE, qkv_bias=False), file).share == 1


def test_another_shape_is_refused_whatever_is_expected(part, blank, weights_file):
    file = weights_file({**part, "blocks.0.norm1.weight": torch.zeros(47)})
    with pytest.raises(ModelError, match=r"another shape blocks\.0\.norm1\.weight \(47,\) instead"):
        load_backbone_weights(blank(VIT, SIZE), file, expected_coverage=0.01)


def test_nothing_at_all_is_refused_whatever_is_expected(blank, weights_file):
    file = weights_file({"mask_token": torch.zeros(1, 48)})
    with pytest.raises(ModelError, match=r"0 of 30 tensors, 0 % of parameters covered where 1 %"):
        load_backbone_weights(blank(VIT, SIZE), file, expected_coverage=0.01)


def test_numbers_of_another_kind_are_refused(source, blank, weights_file):
    """A quantised file would otherwise be cast to nonsense."""
    trained = source(VIT, SIZE).state_dict()
    trained["blocks.0.mlp.fc1.weight"] = trained["blocks.0.mlp.fc1.weight"].mul(100).to(torch.int8)
    file = weights_file(trained)
    with pytest.raises(ModelError, match=r"fc1\.weight torch\.int8 instead of torch\.float32"):
        load_backbone_weights(blank(VIT, SIZE), file)


@pytest.mark.parametrize("kind", ["int8", "uint8", "bool", "complex64"])
@pytest.mark.parametrize("expected", [1.0, 0.5])
def test_no_other_backbone_is_named_for_other_numbers(source, blank, tmp_path, kind, expected):
    trained, file = source(VIT, SIZE).state_dict(), tmp_path / "weights.pth"
    torch.save({name: value.to(getattr(torch, kind)) for name, value in trained.items()}, file)
    with pytest.raises(ModelError) as caught:
        load_backbone_weights(blank(VIT, SIZE), file, expected_coverage=expected)
    assert caught.value.problem.startswith(
        f"{file}: 30 of 30 tensors are no floating-point numbers, as in quantized weights: "
        f"cls_token torch.{kind} instead of torch.float32, "
    )
    assert caught.value.fix == (
        "give the weights in floating point, as they were before they were quantized."
    )
