"""A model folder to an ONNX file, compared with PyTorch on the spot."""

import json
import os
from pathlib import Path

from nnunet_vit.errors import ConfigError
from nnunet_vit.files.json_file import write_json
from nnunet_vit.files.writable import check_writable
from nnunet_vit.inference.predicting.staging import staged_in
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.onnx.around_network import around_network
from nnunet_vit.sharing.onnx.asked_for import check_opset
from nnunet_vit.sharing.onnx.exported_network import Exported, exported_in, onnx_record
from nnunet_vit.sharing.onnx.model_record import FORMAT, model_record
from nnunet_vit.sharing.opened_model import opened_model


def export_onnx(source: Source, file: Path, *, opset: int | None, progress: Progress) -> str:
    """Write a model's network as `file`, and what belongs around it as JSON beside it.

    Both are written whole or not at all; earlier ones are replaced.

    Args:
        source: the model and its folds; several are one graph, whose logits are their mean.
        file: ends in .onnx; the JSON file has its name with .json.
        opset: version of ONNX's operators; None: 18.
        progress: where to show what happens.

    Returns:
        What was written, in one line.

    Raises:
        ConfigError: the name or the opset cannot be.
        MachineError: a package is missing, or the files cannot be written.
        ModelError: the model cannot be read, or is not to be described as data.
        NumericsError: the exported network says something else than PyTorch's.
        PluginError: the head cannot be exported.
    """
    described = _checked_names(file)
    check_opset(opset)
    check_writable(file.parent, f"--onnx {file}")
    opened = opened_model(source, progress)
    around = around_network(opened.model)
    file.parent.mkdir(parents=True, exist_ok=True)
    with staged_in(file.parent) as staged:
        exported = exported_in(staged, file.name, opened, opset=opset, progress=progress)
        record = {**model_record(opened), "onnx": onnx_record(exported, opened), **around}
        write_json(record, staged / described.name)
        for path in (*exported.files, staged / described.name):  # the JSON last: it has the digest
            os.replace(path, file.with_name(path.name))
    return told(file, described, exported)


def told(file: Path, described: Path, exported: Exported) -> str:
    """Return what was written, for the last line."""
    size = sum(path.stat().st_size for path in (file.with_name(p.name) for p in exported.files))
    found = exported.compared
    steep = f", as its own do by rounding ({found.own.largest:.1e})" * (not found.exact)
    return (
        f"ONNX: {file} ({bytes_text(size)}, opset {exported.graph.opset}) and {described.name}; "
        f"logits differ from PyTorch's by {found.found.largest:.1e} at most{steep}"
    )


def _checked_names(file: Path) -> Path:
    """Return the JSON file's name.

    Raises:
        ConfigError: the ONNX file's name, or a file that is not ours stands in the way.
    """
    if file.suffix != ".onnx" or file.is_dir():
        raise ConfigError(f"--onnx {file}: no file that ends in .onnx.", fix="--onnx model.onnx")
    described = file.with_suffix(".json")
    if described.exists() and not _ours(described):
        raise ConfigError(
            f"--onnx {file}: {described} would be replaced, which is another file.",
            fix="another name or another folder.",
        )
    return described


def _ours(described: Path) -> bool:
    try:
        return bool(json.loads(described.read_text(encoding="utf-8"))["format"] == FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False
