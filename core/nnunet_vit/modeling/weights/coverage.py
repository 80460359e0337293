"""What a weights file brought to a backbone."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import floor

from nnunet_vit.errors import shortened
from nnunet_vit.quantities import parameters_text

SHOWN = 6  # groups of names in a line


@dataclass(frozen=True)
class Coverage:
    """What was done with a file of weights, tensor by tensor.

    Attributes:
        file: name of the file or folder.
        loaded: the backbone's tensors that came from it.
        resized: those of them that were adapted to the image's size, the patch or the channels.
        skipped: the file's tensors that were not used, apart from those that timm drops where it
            has to translate a file (the text half of a CLIP).
        missing: the backbone's tensors that the file does not hold; they keep their values.
        parameters: how many numbers were loaded.
        all_parameters: how many the backbone has.
        notes: sentences about what was chosen, for the line.
        grid: those of them about the grid of the positions, which depends on the image's size.
    """

    file: str
    loaded: tuple[str, ...]
    resized: tuple[str, ...]
    skipped: tuple[str, ...]
    missing: tuple[str, ...]
    parameters: int
    all_parameters: int
    notes: tuple[str, ...] = ()
    grid: tuple[str, ...] = ()

    @property
    def tensors(self) -> int:
        """How many tensors were loaded."""
        return len(self.loaded)

    @property
    def share(self) -> float:
        """The covered share of the backbone's parameters, 0 to 1."""
        return self.parameters / self.all_parameters

    def summary(self) -> str:
        """Return one line for people."""
        facts = [
            f"{self.file} covers {percent(self.share)} of the backbone: {self.tensors} tensors, "
            f"{parameters_text(self.parameters)} parameters"
        ]
        facts += [
            f"{what}: {_grouped(names)}"
            for what, names in (
                ("resized", self.resized),
                ("skipped", self.skipped),
                ("missing", self.missing),
            )
            if names
        ]
        return "; ".join((*facts, *self.notes))


def percent(share: float) -> str:
    """Return a share as a percentage that says 100 only where nothing lacks."""
    places = 0 if share == 1 or share < 0.9 else 1
    return f"{floor(share * 100 * 10**places) / 10**places:g} %"


def _grouped(names: Iterable[str]) -> str:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_kind(name), []).append(name)
    listed = []
    for kind, members in groups.items():
        listed += members if len(members) < 3 else [f"{len(members)} {kind} tensors"]
    return shortened(listed, SHOWN)


def _kind(name: str) -> str:
    """Return the part that a tensor belongs to; blocks are told apart by what lies in them."""
    if name.startswith("blocks."):
        return re.sub(r"\.\d+\.", ".*.", name)
    return re.split(r"[._]", name)[0]
