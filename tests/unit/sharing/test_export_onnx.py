"""Files, names and refusals of `vit_cli export --onnx`."""

import importlib.util
import json
from dataclasses import replace

import pytest
import torch
from head_folders import write_head_folder

from nnunet_vit.errors import ConfigError, MachineError, ModelError, NumericsError, PluginError
from nnunet_vit.files.digests import sha256
from nnunet_vit.modeling.runtime import onnx_graph
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.onnx import exported_network
from nnunet_vit.sharing.onnx.export_onnx import export_onnx

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("onnx_packages")]


class Told(Progress):
    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


def export(folder, file, opset=None, progress=None, **wanted):
    return export_onnx(Source(folder, **wanted), file, opset=opset, progress=progress or Progress())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "model"
    return write_head_folder(folder, backbone="siglip", folds=(0, 1), shared=True)


def nodes_and_bytes(model, folder, **wanted):
    import onnx

    export(model, folder / "m.onnx", **wanted)
    nodes = onnx.load(folder / "m.onnx").graph.node
    return len(nodes), (folder / "m.onnx").stat().st_size


def test_the_record_is_of_the_file(model, tmp_path):
    told = export(model, tmp_path / "new/m.onnx", folds=["1"])
    record = json.loads((tmp_path / "new/m.json").read_text(encoding="utf-8"))
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["m.json", "m.onnx"]
    assert record["onnx"]["sha256"] == sha256(tmp_path / "new/m.onnx")
    assert (record["model"]["folds"], record["model"]["head"]) == ([1], "linear")
    assert record["tiles"]["mirror_axes"] == [0, 1]
    assert record["outputs"]["classes"][2] == {"name": "vessel", "value": 2}
    assert told.startswith(f"ONNX: {tmp_path / 'new/m.onnx'} (") and "m.json" in told
    assert str(tmp_path).encode() not in (tmp_path / "new/m.onnx").read_bytes()
    assert b".py" not in (tmp_path / "new/m.onnx").read_bytes()  # no paths of this machine


def test_folds_share_a_frozen_backbone_and_replace_an_earlier_export(model, tmp_path):
    nodes, size = nodes_and_bytes(model, tmp_path, folds=["0"])
    all_nodes, all_bytes = nodes_and_bytes(model, tmp_path)
    assert nodes < all_nodes < 1.3 * nodes  # or else the backbone is computed once for each
    assert size < all_bytes < 1.1 * size
    record = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))
    assert record["model"]["folds"] == [0, 1]
    assert record["onnx"]["sha256"] == sha256(tmp_path / "m.onnx")


def test_another_opset(model, tmp_path):
    import onnx

    told = export(model, tmp_path / "m.onnx", 21, folds=["0"])
    assert "opset 21" in told
    opsets = {each.domain: each.version for each in onnx.load(tmp_path / "m.onnx").opset_import}
    assert opsets[""] == 21
    for opset in (17, 1000):
        with pytest.raises(ConfigError, match=f"--opset {opset}; allowed: 18 to "):
            export(model, tmp_path / "m.onnx", opset)


@pytest.mark.parametrize("name", ["m.pt", "folder.onnx", "plans.onnx"])
def test_names_that_cannot_be(name, model, tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "plans.json").write_text('{"dataset_name": "x"}')
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ConfigError, match="--onnx"):
        export(model, tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before


def test_large_weights_lie_beside_the_file(model, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_graph, "MOST_INSIDE", 1000)
    export(model, tmp_path / "m.onnx", folds=["0"])
    (data,) = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))["onnx"]["external_data"]
    assert data["file"] == "m.onnx.data"
    assert data["sha256"] == sha256(tmp_path / "m.onnx.data")
    assert (tmp_path / "m.onnx").stat().st_size < data["bytes"]


def test_packages_that_are_missing(model, tmp_path, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxscript" else found(name)
    )
    with pytest.raises(MachineError, match=r"onnxscript.*pip install 'nnunet-vit\[onnx\]'"):
        export(model, tmp_path / "m.onnx")


def test_a_network_that_says_something_else(model, tmp_path, monkeypatch):
    monkeypatch.setattr(
        exported_network, "running", lambda file: lambda images: torch.zeros(len(images), 3, 48, 64)
    )
    with pytest.raises(NumericsError, match=r"differs from PyTorch's by \d.*Nothing was written"):
        export(model, tmp_path / "m.onnx", folds=["0"])
    assert list(tmp_path.iterdir()) == []


COUNTING = """
import torch
from nnunet_vit.hookspecs import HeadOptions, hookimpl

@hookimpl
def head_options():
    return HeadOptions

class Counting(torch.nn.Module):
    def __init__(self, backbone, num_classes):
        super().__init__()
        self.backbone, self.step = backbone, torch.nn.Conv2d(backbone.embed_dim, num_classes, 1)
    def forward(self, images):
        (features,) = self.backbone.feature_maps(images, [-1])
        each = [self.step(features[number : number + 1]) for number in range(len(images))]
        WHAT
        return torch.nn.functional.interpolate(torch.cat(each), size=images.shape[-2:])

@hookimpl
def create_segmentation_model(backbone, num_classes, options):
    return Counting(backbone, num_classes)
"""


def test_a_head_that_counts_its_images(tmp_path, fake_head):
    fake_head("counting", COUNTING.replace("WHAT", ""))
    folder, progress = write_head_folder(tmp_path / "model", "counting", "siglip"), Told()
    export(folder, tmp_path / "m.onnx", progress=progress)
    about = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"))["onnx"]
    assert about["input"]["shape"] == [1, 1, 48, 64]
    assert about["compared_with_pytorch"]["batches"] == [1]
    assert progress.warnings == [
        "the head counts its images: the ONNX file takes one image at a time."
    ]


def test_a_head_that_cannot_be_exported(tmp_path, fake_head):
    fake_head("asking", COUNTING.replace("WHAT", "if features.sum().item() > 0: each.reverse()"))
    folder = write_head_folder(tmp_path / "model", "asking", "siglip")
    with pytest.raises(PluginError, match="The head 'asking' cannot be exported: "):
        export(folder, tmp_path / "out/m.onnx")
    assert list((tmp_path / "out").iterdir()) == []


def test_nothing_is_left_of_a_full_disk(model, tmp_path, monkeypatch):
    def full(self, file):
        file.write_bytes(b"x")
        raise OSError(28, "No space left on device", str(file))

    monkeypatch.setattr(onnx_graph.OnnxGraph, "save", full)
    with pytest.raises(OSError, match="No space left"):
        export(model, tmp_path / "m.onnx", folds=["0"])
    assert list(tmp_path.iterdir()) == []


def test_the_checkpoint_is_a_choice(model, tmp_path):
    wanted = replace(Source(model), checkpoint="best")
    with pytest.raises(ModelError, match="has no best checkpoint"):
        export_onnx(wanted, tmp_path / "m.onnx", opset=None, progress=Progress())
