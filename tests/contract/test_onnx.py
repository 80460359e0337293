"""Every head in ONNX: onnxruntime gives the logits of torch."""

import pytest
from repository_heads import HEADS

pytestmark = [pytest.mark.contract, pytest.mark.slow]


@pytest.mark.parametrize("backbone", ["dinov3", "dinov2"])
@pytest.mark.parametrize("head", HEADS)
def test_the_network_runs_in_onnx(head, backbone):
    for name in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(name, reason="pip install -e '.[onnx]' for it")
    from nnunet_vit.testing.checks.graphs import check_export
    from nnunet_vit.testing.small_vits import Case

    assert check_export(head, Case(backbone)) == "to ONNX"
