"""Source models with random values everywhere, and what it takes to see that a file is refused."""

import pytest


@pytest.fixture(autouse=True)
def fitting_backbones_without_luck(request, monkeypatch):
    """Look for a backbone that fits a refused file among the families alone, as long as it takes.

    A test that wants a name of timm's asks for `all_names_of_timm`: these take seconds.
    """
    from nnunet_vit.modeling.weights import relatives

    monkeypatch.setattr(relatives, "SECONDS", 100.0)
    if "all_names_of_timm" not in request.fixturenames:
        monkeypatch.setattr(relatives, "TIMM_SUPPORTED", ())


@pytest.fixture
def all_names_of_timm():
    """Nothing: its name is what counts."""


@pytest.fixture
def source(vit):
    """`source(name, size)`: a small timm ViT whose biases, norms and scales are not trivial."""

    def build(name, size, **more):
        import torch

        settings = {"depth": 2, "embed_dim": 48, "num_heads": 2, **more}
        model = vit(name, size, **settings).eval()
        generator = torch.Generator().manual_seed(11)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.2 + 0.1)
        return model

    return build


@pytest.fixture
def blank(vit):
    """`blank(name, size)`: the same network with other weights."""

    def build(name, size, channels=3, **more):
        return vit(name, size, channels, **{"depth": 2, "embed_dim": 48, "num_heads": 2, **more})

    return build


@pytest.fixture
def assert_same_features():
    def check(model, source, height, width):
        import torch

        images = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(5))
        with torch.no_grad():
            ours, theirs = (one.eval().forward_features(images) for one in (model, source))
        assert (ours - theirs).norm() / theirs.norm() <= 1e-6

    return check


@pytest.fixture
def trained(vit):
    return vit(seed=7).state_dict()


@pytest.fixture
def refusal(vit):
    """`refusal(file)` is the whole error text, with `{file}` for its path; no weight changed."""

    def load(file, *settings, **more):
        import torch

        from nnunet_vit.errors import ModelError
        from nnunet_vit.modeling.weights import load_backbone_weights

        model = vit(*settings, **more)
        before = {name: value.clone() for name, value in model.state_dict().items()}
        with pytest.raises(ModelError) as caught:
            load_backbone_weights(model, file)
        after = model.state_dict()
        assert all(torch.equal(after[name], value) for name, value in before.items())
        return str(caught.value).replace(str(file), "{file}")

    return load
