"""Images without masks and masks without images, and the patterns that may pair them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from nnunet_vit.data.faults import Fault
from nnunet_vit.data.importing.name_patterns import Named, stem_of
from nnunet_vit.data.naming import SHOWN
from nnunet_vit.errors import counted, shortened


def unmatched(
    images: Path,
    masks: Mapping[str, Path],
    by_case: Mapping[str, Sequence[Named]],
    *,
    own: Mapping[str, Sequence[Named]],
) -> list[Fault]:
    """Return images without masks and masks without images.

    Args:
        images: their folder.
        masks: their folders.
        by_case: the images of each case.
        own: the masks of each case.
    """
    alone = [each.file for case, files in by_case.items() if case not in own for each in files]
    left = [each.file for case, files in own.items() if case not in by_case for each in files]
    fix = _suggested(alone, left) or "give both the same name, or a pattern with a group."
    faults = []
    if alone:
        names = shortened((path.name for path in alone), SHOWN)
        faults.append(
            Fault(f"{images}: {counted(len(alone), 'image')} without a mask: {names}.", fix)
        )
    if left:
        folder = " and ".join(str(path) for path in masks.values())
        names = shortened((path.name for path in left), SHOWN)
        faults.append(
            Fault(f"{folder}: {counted(len(left), 'mask')} without an image: {names}.", fix)
        )
    return faults


def _suggested(images: Sequence[Path], masks: Sequence[Path]) -> str:
    """Return the patterns that would pair files whose names differ at their ends alone."""
    if len(images) < 2 or len(masks) < 2:
        return ""
    first, second = [stem_of(path) for path in images], [stem_of(path) for path in masks]
    ends = [_common_end(stems) for stems in (first, second)]
    cut = [
        {stem[: len(stem) - len(end)] for stem in stems}
        for stems, end in zip((first, second), ends, strict=True)
    ]
    if cut[0] != cut[1] or "" in cut[0]:
        return ""
    return f"--pattern '(.+){ends[0]}\\.' --mask-pattern '(.+){ends[1]}\\.'"


def _common_end(stems: Sequence[str]) -> str:
    end = min(stems, key=len)
    while not all(stem.endswith(end) for stem in stems):
        end = end[1:]
    return end
