"""Attention is counted by one formula, whatever kernel torch would take."""

import pytest

from nnunet_vit.config.channel_statistics import ChannelStatistics

pytestmark = pytest.mark.unit

STATISTICS = ChannelStatistics([0.5] * 3, [0.25] * 3)

B, H, L, S, E, F = 2, 3, 5, 7, 4, 6
TINY = "timm:vit_tiny_patch16_224"
RUNS = {
    "bias": {"backbone": "timm:beit_base_patch16_224"},
    "checkpoints": {"train": {"gradient_checkpointing": True}, "lora": {"r": 8}},
    "segmenter": {"head": "segmenter", "freeze_backbone": True},
    "mask2former": {"head": "mask2former", "freeze_backbone": True},
    "eomt": {"head": "eomt"},
}


def cost_of(backbone=TINY, train=None, lora=None, head="linear", **model):
    from nnunet_vit.config.models import ViTnnUNetConfig
    from nnunet_vit.profiling.assumptions import Tile
    from nnunet_vit.profiling.fake_tensors import build_without_memory
    from nnunet_vit.profiling.step import step_cost

    sections = {"model": {"head": head, "backbone": backbone, "precision": "bfloat16", **model}}
    sections |= {"lora": lora} if lora else {}
    run = ViTnnUNetConfig.model_validate({**sections, "train": train or {}})
    size = (224, 224)
    network = build_without_memory(
        run, 3, 2, image_size=size, statistics=STATISTICS, deep_supervision=False
    )
    return step_cost(network, run, Tile(size, 2), loss=any_loss, device="cuda")


def any_loss(output):
    """Look at every number that comes out."""
    from torch.utils._pytree import tree_leaves

    return sum(tensor.square().mean() for tensor in tree_leaves(output) if tensor is not None)


def kernels():
    from torch.nn.attention import SDPBackend

    return [kernel for kernel in SDPBackend.__members__.values() if kernel.value >= 0]


@pytest.fixture
def operations(monkeypatch):
    """Return the names of all operations that `describe` follows, as they come."""
    from nnunet_vit.profiling.tracking import Ledger

    names, dispatch = set(), Ledger.__torch_dispatch__

    def noting(self, function, types, args=(), kwargs=None):
        names.add(str(function))
        return dispatch(self, function, types, args, kwargs)

    monkeypatch.setattr(Ledger, "__torch_dispatch__", noting)
    return names


@pytest.mark.parametrize("name", RUNS)
def test_every_kernel_gives_the_same_figures(name, operations):
    """By their names, kernels that torch will have in years to come are noticed too."""
    from torch.nn.attention import sdpa_kernel

    expected = cost_of(**RUNS[name])
    assert expected.forward_flops and expected.saved_activations
    assert any("addmm" in operation for operation in operations)
    assert not [one for one in operations if "attention" in one or "multi_head" in one]
    # the written-out one differs most; all of them once: each is a step of seconds
    for kernel in kernels() if name == "checkpoints" else kernels()[:1]:
        with sdpa_kernel(kernel):
            assert cost_of(**RUNS[name]) == expected, kernel


def attended(**settings):
    """Return (operations forward, all operations, bytes saved, gradients), without memory."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    from nnunet_vit.profiling.attention import counted_attention

    counts, saved = [], {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        saved[storage._cdata] = storage.nbytes()
        return tensor

    mask, trained, shapes = (settings.pop(n, None) for n in ("mask", "trained", "shapes"))
    with FakeTensorMode(), counted_attention(counts.append):
        shapes = shapes or [(B, H, L, E), (B, H, S, E), (B, H, S, F)]
        tensors = [torch.empty(shape, requires_grad=True) for shape in shapes]
        if mask is not None:
            mask = torch.empty(mask, dtype=torch.float if trained else torch.bool)
            mask.requires_grad_(bool(trained))
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            result = torch.nn.functional.scaled_dot_product_attention(
                *tensors, attn_mask=mask, **settings
            )
        forward = sum(counts)
        result.sum().backward()
    gradients = [t.grad.shape == t.shape for t in [*tensors, *([mask] if trained else [])]]
    return forward, sum(counts), sum(saved.values()), all(gradients), tuple(result.shape)


PAIRS = B * H * L * S
KEPT = 4 * B * H * (L * E + S * E + S * F + L * F + L)


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        ({}, 0),
        ({"is_causal": True, "scale": 0.1, "dropout_p": 0.5}, 0),
        ({"mask": (L, S)}, 4 * L * S),
        ({"mask": (B, 1, L, S)}, 4 * B * L * S),
        ({"mask": (H, L, S), "trained": True}, 4 * H * L * S),
    ],
    ids=["plain", "settings", "mask", "mask of images", "trained bias"],
)
def test_what_attention_computes_and_keeps(settings, more):
    forward, step, saved, gradients, shape = attended(**settings)
    assert forward == 2 * PAIRS * (E + F)
    assert step - forward == 2 * PAIRS * (3 * E + 2 * F)
    assert saved == KEPT + more
    assert gradients and shape == (B, H, L, F)


def test_fewer_heads_of_keys_are_counted_for_all_queries():
    shapes = [(B, 6, L, E), (B, 2, S, E), (B, 2, S, F)]
    forward, _, saved, gradients, shape = attended(shapes=shapes, enable_gqa=True)
    assert forward == 2 * B * 6 * L * S * (E + F)
    assert saved == 4 * B * (6 * (L * E + L * F + L) + 2 * (S * E + S * F))
    assert gradients and shape == (B, 6, L, F)


def test_what_no_fused_kernel_takes_is_computed_as_a_map():
    counts, step, saved, gradients, shape = attended(shapes=[(H, L, E), (H, S, E), (H, S, F)])
    assert counts == step == 0  # by the formulas of the matrix products then
    assert saved >= 4 * H * L * S
    assert gradients and shape == (H, L, F)


def test_layers_of_torch_with_kernels_of_their_own_are_counted():
    import torch

    from nnunet_vit.profiling.attention import counted_attention

    layer = torch.nn.MultiheadAttention(8, 2, batch_first=True).eval()
    tokens, counts = torch.zeros(2, 5, 8), []
    for outside in (torch.no_grad, torch.inference_mode):
        with outside(), counted_attention(counts.append):
            layer(tokens, tokens, tokens, need_weights=False)
    assert counts == [2 * 2 * 2 * 5 * 5 * (4 + 4)] * 2


def test_attention_computes_again_afterwards():
    import torch

    from nnunet_vit.profiling.attention import counted_attention

    ones, counts = torch.ones(1, 1, 2, 2), []
    with pytest.raises(ZeroDivisionError), counted_attention(counts.append):
        raise ZeroDivisionError
    with counted_attention(counts.append):
        pass
    result = torch.nn.functional.scaled_dot_product_attention(ones, ones, ones)
    assert result.eq(1).all() and not counts
    assert torch.backends.mha.get_fastpath_enabled()
