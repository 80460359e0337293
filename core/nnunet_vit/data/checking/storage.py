"""Pictures of a dataset that are stored in several ways: 16 bits beside 8, inks and colours."""

from collections import Counter, defaultdict

from nnunet_vit.data.checking.examining import Examined
from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import shortened

OF_IMAGE = ("ZScoreNormalization", "RescaleTo01Normalization")  # the scale of the values is lost
INKS = "CMYK"


def mixed_storage(examined: Examined) -> tuple[list[Fault], list[Fault]]:
    """Return errors and warnings about files that are stored otherwise than the others.

    It is an error where values are compared across images, or where channels mean something else.
    """
    errors: list[Fault] = []
    warnings: list[Fault] = []
    for channel, kinds in _kinds(examined).items():
        if len(kinds) < 2:
            continue
        (usual, _), *others = Counter({kind: len(f) for kind, f in kinds.items()}).most_common()
        files = [file for kind, _ in others for file in kinds[kind]]
        odd = ", ".join(kind for kind, _ in others)
        schemes = examined.dataset.normalization_schemes()
        compared = any(scheme not in OF_IMAGE for scheme in schemes)
        fault = Fault(
            f"imagesTr: {shortened(files)}: stored with {odd}, most files"
            f"{f' of channel {channel}' if channel else ''} with {usual}.",
            "save all in one way; values of 16 bits are up to 257 times those of 8.",
        )
        (errors if compared or INKS in {usual, odd} else warnings).append(fault)
    return errors, warnings


def _kinds(examined: Examined) -> dict[int, dict[str, list[str]]]:
    """Return the files of each kind of storage, by their number in the case."""
    found: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for seen in examined.seen.values():
        if seen.image is None or seen.image.figures is None:
            continue
        stored = zip(seen.image.files, seen.image.figures.stored, strict=True)
        for number, (file, kind) in enumerate(stored):
            if kind:
                mode, _, bits = kind.partition(", ")
                found[number][INKS if mode == INKS else bits].append(file.name)
    return found
