"""Which model it is: dataset, run, packages, licence of the pretrained weights."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nnunet_vit import __version__
from nnunet_vit.backbones import timm_name
from nnunet_vit.checkpoints.provenance import versions
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.runtime.onnx_graph import PACKAGES
from nnunet_vit.profiling.describe import weights_of
from nnunet_vit.sharing.opened_model import OpenedModel
from nnunet_vit.sharing.portable import portable_description

FORMAT = "nnunet-vit-onnx"
VERSION = 1


def model_record(opened: OpenedModel) -> JsonObject:
    """Return what identifies a model, and what may be done with it."""
    run, plans = opened.folder.run, opened.folder.plans
    weights = weights_of(run, timm_name(run.model.backbone, run.model.size_name))
    given = run.model.checkpoint_path  # whose folder means nothing elsewhere
    return {
        "format": FORMAT,
        "format_version": VERSION,
        "model": {
            "dataset": plans["dataset_name"],
            "plans": plans["plans_name"],
            "configuration": run.data.configuration,
            "folds": list(opened.folds),
            "checkpoint": opened.kind,
            "head": run.model.head or run.model.model_path,
            "backbone": weights.name,
            "trained_with": opened.folder.packages(),
        },
        "licences": {
            "pretrained_weights": {
                "source": Path(given).name if given else weights.source,
                "licence": weights.licence,
            },
            "training_data": portable_description(opened.folder.description).get("licence"),
        },
        "versions": {"nnunet-vit": __version__, **versions(), **_onnx_versions()},
    }


def _onnx_versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a build under another name, as for a GPU
            found[name] = "unknown"
    return found
