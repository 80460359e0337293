"""Small timm ViTs, and files of their weights."""

import copy

import pytest


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tensors are tiny here: threads would only wait for each other."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def built_vits():
    return {}


@pytest.fixture
def vit(built_vits):
    """`vit("test_vit")` returns a small ViT with random weights; `seed` chooses among them."""

    def build(name="test_vit", size=(32, 64), channels=3, seed=0, **more):
        import timm
        import torch

        from nnunet_vit.modeling.vit.timm_models import build_timm

        settings = (name, size, channels, seed, *more.items())
        if settings not in built_vits:
            torch.manual_seed(seed)
            built_vits[settings] = (
                timm.create_model(name, num_classes=0, img_size=size, in_chans=channels, **more)
                if more
                else build_timm(name, size, channels)
            )
        return copy.deepcopy(built_vits[settings])

    return build


@pytest.fixture
def weights_file(tmp_path):
    """`weights_file(content)` writes tensors as .safetensors, or anything with torch as .pth."""

    def write(content, name="weights.safetensors"):
        import torch
        from safetensors.torch import save_file

        path = tmp_path / name
        if path.suffix == ".safetensors":
            save_file({key: value.contiguous() for key, value in content.items()}, path)
        else:
            torch.save(content, path)
        return path

    return write
