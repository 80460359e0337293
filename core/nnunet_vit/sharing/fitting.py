"""Whether the weights of a bundle are those of the network that its plans describe."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nnunet_vit.errors import ModelError, shortened
from nnunet_vit.inference.model_folder import ModelFolder, build_network
from nnunet_vit.sharing.bundle_format import SHARED, TRAINED, weights_name
from nnunet_vit.sharing.bundle_zip import BundleZip
from nnunet_vit.sharing.tensor_headers import NoTensorsError, TensorFacts, tensor_facts

if TYPE_CHECKING:
    from torch import Tensor

Facts = Mapping[str, TensorFacts]
DTYPES = {  # torch's names, and those of safetensors
    "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64",
    "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL",
}  # fmt: skip
SHOWN = 2  # names of each kind in a message


def check_weights(bundle: BundleZip, model: ModelFolder) -> None:
    """Refuse weights whose names, shapes or types are not the network's; none is read.

    Args:
        bundle: whose files are as they were exported.
        model: its plans and dataset.json.

    Raises:
        ModelError: names each file that does not fit.
    """
    wanted = _wanted(model, trained_alone=bundle.manifest.weights == TRAINED)
    faults = list(_faults(bundle, wanted))
    if faults:
        raise ModelError(
            f"{bundle.path} is refused, nothing is installed: {'; '.join(faults)}.",
            fix="install the versions that its MODEL_CARD.md names, or export the model again.",
        )


def _faults(bundle: BundleZip, wanted: Facts) -> Iterator[str]:
    found: dict[str, Facts] = {}
    for name in (SHARED, *map(weights_name, bundle.manifest.folds)):
        if name in bundle.manifest.files:
            try:
                with bundle.open(name) as file:
                    found[name] = tensor_facts(file, bundle.size(name))
            except NoTensorsError as error:
                yield f"{name} {error}"
    shared = found.pop(SHARED, {})
    for name, own in found.items():
        if doubled := set(own) & set(shared):
            yield f"{name} and {SHARED} both hold {shortened(sorted(doubled), SHOWN)}"
        elif difference := _difference(wanted, {**shared, **own}):
            yield f"{name} does not fit the network: {difference}"


def _difference(wanted: Facts, given: Facts) -> str:
    missing, others = sorted(set(wanted) - set(given)), sorted(set(given) - set(wanted))
    wrong = [
        f"{name} is {given[name]}, not {wanted[name]}"
        for name in sorted(set(wanted) & set(given))
        if wanted[name] != given[name]
    ]
    parts = [
        f"missing {shortened(missing, SHOWN)}" if missing else "",
        f"unexpected {shortened(others, SHOWN)}" if others else "",
        shortened(wrong, SHOWN),
    ]
    return "; ".join(filter(None, parts))


def _wanted(model: ModelFolder, *, trained_alone: bool) -> Facts:
    """Return what the network's tensors are, from a network without memory."""
    import torch

    from nnunet_vit.checkpoints.base import stored_tensors
    from nnunet_vit.modeling.backbone import vits_of
    from nnunet_vit.tuning.adapters.merge import remove_adapters

    with torch.device("meta"):
        network = build_network(model)
    if trained_alone:
        tensors = stored_tensors(network, backbones=vits_of(network))
    else:
        remove_adapters(network)
        tensors = network.state_dict()
    return {name: _facts(tensor) for name, tensor in tensors.items()}


def _facts(tensor: "Tensor") -> TensorFacts:
    name = str(tensor.dtype).removeprefix("torch.")
    return TensorFacts(DTYPES.get(name, name), tuple(tensor.shape))
