"""Fixtures for tests of heads: pytest finds them wherever this package is installed.

A test file that uses one of them names its head: `HEAD = "twolevel"`. What else it may name are
`OPTIONS`, which stand in for the head's own defaults: `OPTIONS = {"hidden_size": 32}`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from torch import nn

    from nnunet_vit.files.json_file import JsonObject

LINE = "run.yaml, line 4, "  # where an option stands in the run file of option_error


@pytest.fixture
def build_head(request: pytest.FixtureRequest) -> "Callable[..., nn.Module]":
    """`build_head(backbone, num_classes, options, **settings)`: the head on a small ViT.

    Settings are those of nnunet_vit.create_segmentation_model; the weights are random, the same
    ones at each call.
    """
    head, fixed = _head_of(request)

    def build(
        backbone: str = "timm:test_vit",
        num_classes: int = 3,
        options: "JsonObject | None" = None,
        **settings: Any,  # noqa: ANN401 - the public entry's own
    ) -> "nn.Module":
        import torch

        from nnunet_vit.modeling.factory import create_segmentation_model

        torch.manual_seed(0)
        settings = {"pretrained": False, "options": {**fixed, **(options or {})}, **settings}
        return create_segmentation_model(head, num_classes, backbone_name=backbone, **settings)

    return build


@pytest.fixture
def head_on(request: pytest.FixtureRequest) -> "Callable[..., nn.Module]":
    """`head_on(backbone, num_classes, in_channels, deep_supervision, **options)`: by its own hook.

    The backbone is one of nnunet_vit.testing.maps, or any other module that has what heads use.
    """
    head, fixed = _head_of(request)

    def build(
        backbone: "nn.Module",
        num_classes: int = 2,
        in_channels: int = 3,
        deep_supervision: bool = False,
        **options: object,
    ) -> "nn.Module":
        from nnunet_vit.testing import building

        return building.head_on(
            head,
            backbone,
            {**fixed, **options},
            num_classes=num_classes,
            in_channels=in_channels,
            deep_supervision=deep_supervision,
        )

    return build


@pytest.fixture
def option_error(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], str]:
    """`option_error("hidden_size: 4")`: why a run file with this line in model.decoder is refused.

    The text begins with the option, `model.decoder.hidden_size: given 4; …`.
    """
    head, _ = _head_of(request)

    def error(line: str) -> str:
        from nnunet_vit.config.load import load_run
        from nnunet_vit.errors import ConfigError

        monkeypatch.chdir(tmp_path)
        run = Path("run.yaml")
        run.write_text(f"model:\n  head: {head}\n  decoder:\n    {line}\n", encoding="utf-8")
        with pytest.raises(ConfigError) as caught:
            load_run(run)
        return str(caught.value).removeprefix(LINE)

    return error


def _head_of(request: pytest.FixtureRequest) -> "tuple[str, JsonObject]":
    """Return the name of the test file's head, and options in place of its defaults."""
    head = getattr(request.module, "HEAD", "")
    if not head:
        pytest.fail(f'{request.path}: name the head that it tests, HEAD = "…"', pytrace=False)
    return head, getattr(request.module, "OPTIONS", {})
