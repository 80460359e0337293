"""A model folder to a bioimage.io record, tested on the spot."""

import importlib.util
import os
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import Version

from nnunet_vit.errors import ConfigError, MachineError, ModelError, did_you_mean
from nnunet_vit.files.writable import check_writable
from nnunet_vit.inference.predicting.staging import staged_in
from nnunet_vit.modeling.runtime.onnx_graph import running
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.bioimageio.record_facts import RecordFacts, check_facts
from nnunet_vit.sharing.bioimageio.record_files import write_record
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.onnx.around_network import around_network
from nnunet_vit.sharing.onnx.asked_for import check_opset, check_packages
from nnunet_vit.sharing.onnx.exported_network import exported_in, onnx_record
from nnunet_vit.sharing.onnx.model_record import model_record
from nnunet_vit.sharing.opened_model import opened_model

if TYPE_CHECKING:
    from bioimageio.spec import ValidationSummary

PACKAGES = ("bioimageio.spec", "bioimageio.core")
INSTALL = "pip install 'nnunet-vit[bioimageio]'"
WEIGHTS = "weights.onnx"
USUAL = ("CC-BY-4.0", "CC-BY-NC-4.0", "CC0-1.0", "Apache-2.0", "MIT")  # licences of models
# each of its descriptions of a file fails otherwise; bioimageio.core asks for one version of it
FITS_PYDANTIC, TOO_NEW = Version("0.5.14"), Version("2.14")


def export_bioimageio(
    source: Source, file: Path, progress: Progress, *, facts: RecordFacts, opset: int | None
) -> str:
    """Write a model as a bioimage.io record that passes the format's and the model's own test.

    The file is written whole or not at all; an earlier one is replaced.

    Args:
        source: the model and its folds.
        file: ends in .zip.
        facts: that no model knows.
        opset: version of ONNX's operators; None: 18.
        progress: where to show what happens.

    Returns:
        What was written, in one line.

    Raises:
        ConfigError: the name, the opset, an author or the licence is missing or cannot be.
        DataError: the example is no image of the model's.
        MachineError: a package is missing, or the file cannot be written.
        ModelError: bioimage.io cannot describe the model, or the record does not pass.
        NumericsError: the network in ONNX says something else than PyTorch's.
        PluginError: the head cannot be exported.
    """
    if file.suffix != ".zip" or file.is_dir():
        raise ConfigError(
            f"--bioimageio {file}: no file that ends in .zip.", fix="--bioimageio record.zip"
        )
    check_facts(facts)
    check_packages(_missing(), INSTALL)
    check_versions()
    _check_licence(facts.licence)
    check_opset(opset)
    check_writable(file.parent, f"--bioimageio {file}")
    opened = opened_model(source, progress)
    around = around_network(opened.model)
    file.parent.mkdir(parents=True, exist_ok=True)
    with staged_in(file.parent) as staged:
        exported = exported_in(staged, WEIGHTS, opened, opset=opset, progress=progress)
        record = {**model_record(opened), "onnx": onnx_record(exported, opened), **around}
        run = running(exported.files[0])
        described = write_record(staged, opened, record, facts=facts, run=run)
        progress.start_work("Testing the record")
        packed = _packed(described, staged / file.name)
        check_passes(packed)
        os.replace(packed, file)
    return (
        f"bioimage.io record: {file} ({bytes_text(file.stat().st_size)}); bioimageio.spec and "
        "bioimageio.core accept it"
    )


def _missing() -> list[str]:
    return [name for name in PACKAGES if not _is_there(name)]


def check_versions() -> None:
    """Refuse two packages that do not work together, which pip does not know.

    Raises:
        MachineError: with the versions.
    """
    from importlib.metadata import version

    spec, pydantic = version("bioimageio.spec"), version("pydantic")
    if Version(spec) < FITS_PYDANTIC and Version(pydantic) >= TOO_NEW:
        raise MachineError(
            f"bioimageio.spec {spec} does not work with pydantic {pydantic}.",
            fix=f"pip install 'pydantic<{TOO_NEW}', or a newer bioimageio.core.",
        )


def _check_licence(licence: str) -> None:
    """Refuse a licence that is no identifier.

    Raises:
        ConfigError: names the nearest usual one.
    """
    from bioimageio.spec.generic.v0_3 import LicenseId
    from pydantic import ValidationError

    try:
        LicenseId(licence)
    except ValidationError:
        raise ConfigError(
            f"--licence {licence}: SPDX knows no such identifier.{did_you_mean(licence, USUAL)}",
            fix=f"one of SPDX's list, such as {', '.join(USUAL)}.",
        ) from None


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # nothing of bioimageio
        return False


def _packed(described: Path, target: Path) -> Path:
    """Write a record as one zip file.

    Raises:
        ModelError: its description does not fit the format.
    """
    from bioimageio.spec import InvalidDescr, load_description, save_bioimageio_package

    record = load_description(described, perform_io_checks=True)
    if isinstance(record, InvalidDescr):
        raise _refused(record.validation_summary)
    save_bioimageio_package(record, output_path=target)
    return target


def check_passes(record: Path) -> None:
    """Let bioimageio.core run a record on its test tensors.

    Raises:
        ModelError: it does not pass.
    """
    from bioimageio.core import test_model

    summary = test_model(record)
    if summary.status != "passed":
        raise _refused(summary)


def _refused(summary: "ValidationSummary") -> ModelError:
    errors = [
        f"{'.'.join(map(str, error.loc))}: {error.msg[:200]}".strip(": ")
        for detail in summary.details
        for error in detail.errors
    ]
    told = "; ".join(" ".join(error.split()) for error in errors[:3]) or summary.name
    return ModelError(
        f"bioimage.io's own test refuses the record: {told[:600]}.",
        fix="change what it names, or report it with the output of the same command and --debug.",
    )
