"""Small timm ViTs and runs for the tuning methods."""

import copy

import pytest

# one of each way in which timm builds blocks and attention, made small
VARIANTS = (
    "test_vit",  # qkv that is called
    "vit_small_patch16_dinov3",  # qkv without any bias, rotary
    "vit_small_patch16_dinov3_qkvb",  # joint bias, rotary
    "vit_small_plus_patch16_dinov3",  # gated MLP
    "eva02_base_patch14_224",  # q_proj, k_proj, v_proj
    "eva02_enormous_patch14_clip_224",  # joint bias, norms behind
    "vit_base_patch16_rope_reg1_gap_256",  # joint bias, registers
    "vit_base_patch16_rope_mixed_224",  # trained rotary frequencies
    "beitv2_base_patch16_224",  # joint bias, relative positions
    "vit_base_patch16_18x2_224",  # two attentions and two MLPs per block
    "vit_base_patch16_xp_224",  # in_proj with joint bias
    "vit_pwee_patch16_reg1_gap_256",  # in_proj that is called
    "deit_tiny_distilled_patch16_224",  # two prefix tokens
    "aimv2_large_patch14_224",  # gated MLP, no bias anywhere
)
FUSED = (
    "vit_small_patch16_dinov3_qkvb",
    "eva02_enormous_patch14_clip_224",
    "vit_base_patch16_rope_reg1_gap_256",
    "beitv2_base_patch16_224",
    "vit_base_patch16_xp_224",
)


@pytest.fixture(scope="session")
def built_vits():
    """The ViTs built so far: random numbers for a small DINOv3 take two seconds."""
    return {}


@pytest.fixture
def vit(built_vits):
    """`vit("test_vit")` returns a small ViT with random weights, always the same ones."""

    def build(*settings):
        import torch

        from nnunet_vit.modeling.vit.timm_models import build_timm

        torch.set_num_threads(1)  # tiny tensors: threads only wait for each other
        if settings not in built_vits:
            torch.manual_seed(0)
            built_vits[settings] = build_timm(*settings)
        return copy.deepcopy(built_vits[settings])

    return lambda name="test_vit", size=(32, 64), channels=3: build(name, size, channels)


@pytest.fixture
def tiny():
    """`tiny(name)` returns that ViT with two narrow blocks and with weights that all matter."""

    def build(name, seed=0, **more):
        import timm
        import torch

        torch.set_num_threads(1)
        torch.manual_seed(seed)
        patch = 14 if "patch14" in name else 16
        small = {"img_size": (2 * patch, 4 * patch), "depth": 2, "embed_dim": 64, "num_heads": 4}
        model = timm.create_model(name, num_classes=0, **(small | more))
        with torch.no_grad():
            for value in model.parameters():  # layer scales of 1e-5 and zero biases prove nothing
                value.add_(0.1 * torch.randn_like(value))
        return model.eval()

    return build


@pytest.fixture(params=VARIANTS)
def variant(request):
    """The timm name of each way in which blocks are built."""
    return request.param


@pytest.fixture(params=FUSED)
def fused(request, tiny):
    """The timm name of each way in which a projection is read past its module."""
    if "_xp_" in request.param and not hasattr(tiny(request.param).blocks[0], "qkv_bias"):
        pytest.skip("timm 1.0.31 calls the joint projection of parallel blocks")
    return request.param


@pytest.fixture
def images():
    """`images(model)` returns a batch of the model's size, always the same one."""

    def draw(model):
        import torch

        size = model.patch_embed.img_size
        return torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(7))

    return draw


@pytest.fixture
def last_map(images):
    """`last_map(model)` returns the last block's feature map of a fixed batch."""
    return lambda model: model.forward_intermediates(
        images(model), indices=1, norm=True, intermediates_only=True
    )[0]


@pytest.fixture
def tuned():
    """`tuned(model, "dora", r=4)` applies a method; adapters get values that matter."""

    def do(model, method, std=0.1, tuning=None, **lora):
        import torch

        from nnunet_vit.config.models import ViTLoRAConfig, ViTModelConfig, ViTnnUNetConfig
        from nnunet_vit.tuning import method_of
        from nnunet_vit.tuning.adapters.adapter_names import adapted_layers, layer_of

        run = ViTnnUNetConfig(
            model=ViTModelConfig(tuning=method, **(tuning or {})),
            lora=ViTLoRAConfig(**{"lora_dropout": 0.0, **lora}),
        )
        method_of(run).tune(model, run)
        layers = adapted_layers(dict(model.named_parameters()))
        with torch.no_grad():
            for name, value in model.named_parameters():
                if std and layer_of(name, layers):
                    value.add_(std * torch.randn_like(value))
        return model

    return do


@pytest.fixture
def step():
    """`step(model, optimizer)` does one step that moves everything trainable in the features."""

    def do(model, optimizer):
        import torch

        size = getattr(model.patch_embed, "img_size", None) or (32, 64)
        images = torch.randn(2, 3, *size)
        optimizer.zero_grad()
        maps = model.forward_intermediates(images, intermediates_only=True, norm=True)
        sum(((level + 1) ** 3).mean() for level in maps).backward()
        optimizer.step()

    return do
