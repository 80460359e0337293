"""How much memory the largest case of a dataset takes while it is preprocessed."""

from math import prod

from nnunet_vit.data.preprocessing.case_workers import bytes_of_case
from nnunet_vit.data.preprocessing.preprocess_cases import CaseMaker
from nnunet_vit.data.preprocessing.preprocessed import FINGERPRINT
from nnunet_vit.files.json_file import read_json
from nnunet_vit.nnunet.plans_file import REDO, resolved


def largest_case(maker: CaseMaker) -> int:
    """Return the bytes that one worker holds for it, by the dataset's fingerprint."""
    root = maker.target.root
    fingerprint = read_json(root / FINGERPRINT, REDO)
    own = resolved(root / FINGERPRINT, maker.plans, maker.configuration)
    forward, target = maker.plans["transpose_forward"], own["spacing"]
    voxels = 0
    for shape, spacing in zip(
        fingerprint["shapes_after_crop"], fingerprint["spacings"], strict=True
    ):
        edges = [(shape[axis], spacing[axis]) for axis in forward]
        kept = [float(edge) for edge, _ in edges[: len(edges) - len(target)]]
        resampled = [
            edge * step / wanted
            for (edge, step), wanted in zip(edges[-len(target) :], target, strict=True)
        ]
        voxels = max(voxels, prod(shape), round(prod(kept + resampled)))
    return bytes_of_case(len(own["normalization_schemes"]), voxels)
