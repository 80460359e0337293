"""Write a run as a run file that `load_run` reads back to an equal run."""

import io
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import MachineError
from nnunet_vit.files.writing import replacing


def run_as_yaml(config: ViTnnUNetConfig) -> str:
    """Return the run as YAML, in the model's order of keys, defaults written out."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.width = 4096  # no value is folded over lines
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.representer.ignore_aliases = lambda *_: True
    stream = io.StringIO()
    yaml.dump(config.model_dump(mode="json"), stream)
    return f"# Written by nnunet-vit {__version__}: the whole run, defaults included.\n" + (
        stream.getvalue()
    )


def write_run(config: ViTnnUNetConfig, path: Path) -> None:
    """Write the run file whole or not at all: a reader never meets half of it.

    Raises:
        MachineError: the folder is missing, full or not writable.
    """
    text = run_as_yaml(config)
    try:
        with replacing(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise MachineError(
            f"{path}: cannot be written: {error.strerror}.",
            fix="make its folder, or make room in it and allow writing to it.",
        ) from error
