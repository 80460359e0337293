"""What is asked of an export before its work: packages that are there, an opset that can be."""

from collections.abc import Sequence

from nnunet_vit.errors import ConfigError, MachineError
from nnunet_vit.modeling.runtime.onnx_graph import OPSET, missing_packages

INSTALL = "pip install 'nnunet-vit[onnx]'"


def check_packages(packages: Sequence[str] = (), install: str = INSTALL) -> None:
    """Refuse to begin without what ONNX needs.

    Raises:
        MachineError: names what is missing.
    """
    missing = [*missing_packages(), *packages]
    if missing:
        raise MachineError(f"Not installed: {', '.join(missing)}.", fix=install)


def check_opset(opset: int | None) -> None:
    """Refuse a version of ONNX's operators that cannot be written.

    Raises:
        ConfigError: names those that can.
        MachineError: a package is missing.
    """
    check_packages()
    import onnx

    newest = onnx.defs.onnx_opset_version()
    if opset is not None and not OPSET <= opset <= newest:
        raise ConfigError(
            f"--opset {opset}; allowed: {OPSET} to {newest}.",
            fix=f"leave it out for {OPSET}, which onnxruntime has from version 1.14 on.",
        )
