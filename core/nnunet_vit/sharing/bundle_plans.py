"""plans.json and dataset.json of a bundle, before anything is built from them."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nnunet_vit.errors import ModelError, UserError
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.inference.model_folder import ModelFolder, open_model
from nnunet_vit.nnunet.plans import KEY
from nnunet_vit.sharing.bundle_format import DESCRIPTION, PLANS, Manifest
from nnunet_vit.sharing.bundle_zip import AGAIN, MOST, BundleZip
from nnunet_vit.sharing.free_text import without_paths
from nnunet_vit.sharing.predictable_plans import prediction_faults


def model_of(bundle: BundleZip) -> ModelFolder:
    """Return the plans and dataset.json of a bundle, checked as those of a model folder.

    Raises:
        ModelError: they cannot be read, or would have nnU-Net build something else than our
            network.
    """
    with tempfile.TemporaryDirectory(prefix="nnunet-vit-") as place:
        folder = Path(place)
        for name in (PLANS, DESCRIPTION):
            bundle.extract(name, folder / name)
        try:
            model = open_model(folder)
        except UserError as error:
            problem = error.problem.replace(f"{folder}/", f"{bundle.path}: ")
            raise type(error)(
                problem, error.fix.replace("copy the model folder", "export it")
            ) from error
    faults = [
        *_faults(bundle.manifest, model.plans),
        *(f"{PLANS}: {fault}" for fault in prediction_faults(model)),
    ]
    if faults:
        text = "; ".join(faults[:MOST]) + f"; … ({len(faults)} in all)" * (len(faults) > MOST)
        raise ModelError(f"{bundle.path} is refused, nothing is installed: {text}.", fix=AGAIN)
    return replace(model, path=bundle.path)


def _faults(manifest: Manifest, plans: JsonObject) -> Iterator[str]:
    from nnunet_vit.modeling.network import CLASS_PATH

    names = {
        "dataset_name": manifest.dataset,
        "plans_name": manifest.plans,
        "configurations": [manifest.configuration],
    }
    for key, wanted in names.items():
        found = list(plans[key]) if key == "configurations" else plans[key]
        if found != wanted:
            yield f"{PLANS} and the manifest differ in {key}: {found!r} and {wanted!r}"
    run = plans[KEY]["run"]
    if run["data"]["configuration"] != manifest.configuration:
        yield f"{PLANS}: its run is of configuration {run['data']['configuration']!r}"
    for content in plans["configurations"].values():
        yield from _of_architecture(content["architecture"], run, CLASS_PATH)


def _of_architecture(given: JsonObject, run: JsonObject, ours: str) -> Iterator[str]:
    """Yield what stock nnU-Net would import or build besides our network."""
    name = given.get("network_class_name")
    if name != ours:
        yield f"{PLANS}: the network is {name!r}, not {ours}"
    if given.get("_kw_requires_import") != []:
        yield f"{PLANS}: _kw_requires_import is not empty"
    arguments = given.get("arch_kwargs")
    own = arguments if isinstance(arguments, dict) else {}
    if any(own.get(key) != run.get(key) for key in ("model", "lora")):
        yield f"{PLANS}: the network's arguments are not those of its run"
    path = run["model"].get("checkpoint_path", "")
    if path != without_paths(path) or path in (".", ".."):
        yield f"{PLANS}: model.checkpoint_path leads out of the bundle"
