"""Small timm ViTs and runs for the tuning methods."""

import copy

import pytest


@pytest.fixture(scope="session")
def built_vits():
    """The ViTs built so far: random numbers for a small DINOv3 take two seconds."""
    return {}


@pytest.fixture
def vit(built_vits):
    """`vit("test_vit")` returns a small ViT with random weights, always the same ones."""

    def build(*settings):
        import torch

        from nnunet_vit.modeling.timm_models import build_timm

        torch.set_num_threads(1)  # tiny tensors: threads only wait for each other
        if settings not in built_vits:
            torch.manual_seed(0)
            built_vits[settings] = build_timm(*settings)
        return copy.deepcopy(built_vits[settings])

    return lambda name="test_vit", size=(32, 64), channels=3: build(name, size, channels)


@pytest.fixture
def step():
    """`step(model, optimizer)` does one step that moves everything trainable in the features."""

    def do(model, optimizer):
        import torch

        images = torch.randn(2, 3, 32, 64)
        optimizer.zero_grad()
        maps = model.forward_intermediates(images, intermediates_only=True, norm=True)
        sum(((level + 1) ** 3).mean() for level in maps).backward()
        optimizer.step()

    return do
