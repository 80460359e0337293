"""Write a run as a run file that `load_run` reads back to an equal run."""

import io
from collections.abc import Iterator
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.recipe_version import rate_as_given
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.files.writing import write_text


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
    content = config.model_dump(mode="json")
    content["train"]["backbone_lr"] = rate_as_given(config)  # follows another method or rate
    yaml.dump(content, stream)
    return f"# Written by nnunet-vit {__version__}: the whole run, defaults included.\n" + (
        stream.getvalue()
    )


def flattened(content: JsonMapping, before: str = "") -> Iterator[tuple[str, object]]:
    """Yield each value of a run's sections with its whole key, as train.initial_lr.

    Args:
        content: the sections as JSON has them.
        before: their own key with a dot.
    """
    for key, value in content.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def write_run(config: ViTnnUNetConfig, path: Path) -> None:
    """Write the run file whole or not at all: a reader never meets half of it.

    Raises:
        MachineError: the folder is missing, full or not writable.
    """
    write_text(run_as_yaml(config), path)
