"""Every head that says it can be exported: in onnxruntime its model says what PyTorch's says."""

import json

import onnx_batches
import pytest
from head_folders import write_head_folder
from predicting_model import LABELS
from repository_heads import HEADS

from nnunet_vit.inference.fold_weights import read_fold
from nnunet_vit.inference.model_folder import open_model
from nnunet_vit.inference.predict import loaded
from nnunet_vit.registry import catalogue
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.onnx.export_onnx import export_onnx

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("onnx_packages")]

STEEP = {"mask2former", "eomt"}  # of their logits rounding moves some by more, in PyTorch too
QUICK = {"primus"}


def every_head():
    marked = {head: () if head in QUICK else (pytest.mark.slow,) for head in HEADS}
    return [pytest.param(head, marks=marks) for head, marks in marked.items()]


@pytest.mark.parametrize("head", every_head())
def test_a_head(head, tmp_path):
    target = catalogue.find(catalogue.HEADS, head).entry_point.load()
    assert not getattr(target, "NOT_EXPORTABLE", "")
    folder = write_head_folder(tmp_path / "model", head, "dinov2")
    told = export_onnx(Source(folder), tmp_path / "m.onnx", opset=None, progress=Progress())
    about = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))["onnx"]
    compared = about["compared_with_pytorch"]
    assert about["opset"] == 18 and "opset 18" in told
    assert about["input"]["shape"] == ["batch", 1, 42, 56]
    assert about["output"]["shape"] == ["batch", len(LABELS), 42, 56]
    assert compared["exact"] or head in STEEP
    trained = open_model(folder)
    model = loaded(trained, [read_fold(trained, 0, "final", base=None)])
    for batch in (1, 2, 5):
        largest, mean, scale = onnx_batches.apart(model, tmp_path / "m.onnx", batch)
        assert mean <= 1e-4 * scale
        if head not in STEEP:
            assert largest <= 1e-4 * scale
