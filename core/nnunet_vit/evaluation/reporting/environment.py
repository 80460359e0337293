"""What a run was trained with: versions of packages, the device, and the weights at the start."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.files.json_file import JsonMapping

DEVICE = {
    "device": "device", "gpu_name": "GPU", "torch_version": "torch", "cudnn_version": "cuDNN",
}  # fmt: skip
SHOWN = 12  # characters of a digest


def environment_of(folds: Sequence[Path]) -> list[tuple[str, str]]:
    """Return names and values; of folds that differ, all values.

    Args:
        folds: their folders, ours or nnU-Net's.
    """
    found: dict[str, dict[str, str]] = {}
    for folder in folds:
        for name, value in _of_fold(folder):
            found.setdefault(name, {})[folder.name.removeprefix("fold_")] = value
    return [(name, _joined(values)) for name, values in found.items()]


def made_by() -> str:
    """Say what wrote the page, and when."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return f"nnunet-vit {__version__}, {now}"


def _joined(values: dict[str, str]) -> str:
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    return "; ".join(f"fold {fold}: {value}" for fold, value in values.items())


def _of_fold(folder: Path) -> Iterator[tuple[str, str]]:
    named = dict(_device(folder))
    states = sorted(folder.glob("ckpt/epoch_*/state.json"))
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        content = json.loads(states[-1].read_text(encoding="utf-8"))
        named |= {str(name): str(value) for name, value in content["state"]["versions"].items()}
        named |= dict(_weights(content["state"]["base"]))
    yield from named.items()


def _device(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what nnU-Net's debug.json says."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        content = json.loads((folder / "debug.json").read_text(encoding="utf-8"))
        for key, name in DEVICE.items():
            if content.get(key) not in (None, "", "None"):
                yield name, str(content[key])


def _weights(base: JsonMapping) -> Iterator[tuple[str, str]]:
    file = base.get("file")
    if file:
        yield "weights", f"{file['name']}, sha256 {file['sha256'][:SHOWN]}…"
    for published in base.get("published") or []:
        place = f"{published['repository']}/{published['file']}"
        yield "weights", f"{place}, sha256 {published['sha256'][:SHOWN]}…"
