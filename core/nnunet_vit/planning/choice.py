"""The choice: the largest patch with a fair batch, by the means that change a run least."""

from collections.abc import Iterator
from dataclasses import dataclass

from nnunet_vit.errors import ConfigError
from nnunet_vit.planning.batch_rule import LEAST, BatchBounds, bounds_for
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.largest_batch import largest_batch
from nnunet_vit.planning.meter import Meter, Step
from nnunet_vit.planning.open_keys import BATCH, CHECKPOINTING, PATCH, OpenKeys, Variant
from nnunet_vit.planning.patch_candidates import candidates, tokens_of
from nnunet_vit.profiling.assumptions import Tile

Size = tuple[int, int]

NEARLY_WHOLE = 0.5  # of the wanted tokens: below it LoRA and smaller backbones come first


@dataclass(frozen=True)
class Choice:
    """What was chosen, and by what it was bounded.

    Attributes:
        variant: the run.
        vit_patch: edge of the ViT's patches, pixels.
        wanted: (H, W) of the largest patch that would be useful, pixels.
        bounds: of the batch.
        step: measured.
        checkpointing: whether blocks compute again.
        without: the largest batch without checkpointing; None: none fits, or not tried.
    """

    variant: Variant
    vit_patch: int
    wanted: Size
    bounds: BatchBounds
    step: Step
    checkpointing: bool
    without: int | None


@dataclass
class Chooser:
    """Tries patches, batches and variants until one fits.

    Attributes:
        meter: of the dataset.
        size: of the dataset.
        free: what may be chosen.
        usable: bytes that a step may hold.
        least: the cheapest step that was measured; None: nothing yet.
    """

    meter: Meter
    size: DatasetSize
    free: OpenKeys
    usable: int
    least: Step | None = None

    def choose(self, variants: list[Variant]) -> Choice | None:
        """Return the first that fits, or None.

        Large patches of all variants come first, then small ones.
        """
        for large in (True, False):
            for variant in variants:
                vit_patch = self.meter.vit_patch(variant)
                sizes = self._sizes(variant, vit_patch)
                for size in _by_size(sizes, vit_patch, large=large):
                    found = self._at(variant, vit_patch, size, wanted=sizes[0])
                    if found is not None:
                        return found
        return None

    def _sizes(self, variant: Variant, vit_patch: int) -> list[Size]:
        given = variant.run.train.patch_size
        if PATCH not in self.free and given is not None:
            return [(given[0], given[1])]
        return candidates(self.size.image, vit_patch)

    def _at(self, variant: Variant, vit_patch: int, size: Size, *, wanted: Size) -> Choice | None:
        """Return the better of the ways without and with checkpointing for a patch."""
        bounds = self._bounds(variant, size, vit_patch)
        plain, again = self._ways(variant)
        without = self._batch(variant, size, bounds, checkpointing=False) if plain else None
        batch, checkpointing = without, False
        if again and (without is None or without < bounds.fair):
            thrifty = self._batch(variant, size, bounds, checkpointing=True)
            if thrifty is not None and thrifty > (without or 0):
                batch, checkpointing = thrifty, True
        if batch is None:
            return None
        step = self.meter.step(variant, Tile(size, batch), checkpointing)
        return Choice(variant, vit_patch, wanted, bounds, step, checkpointing, without)

    def _ways(self, variant: Variant) -> tuple[bool, bool]:
        """Tell whether to try without and with checkpointing."""
        if CHECKPOINTING in self.free:
            return True, True
        given = variant.run.train.gradient_checkpointing
        return not given, given

    def _bounds(self, variant: Variant, size: Size, vit_patch: int) -> BatchBounds:
        train = variant.run.train
        if BATCH not in self.free and train.batch_size is not None:
            given = train.batch_size
            return BatchBounds(given, given, given, "as the run file says")
        least = max(LEAST, train.gradient_accumulation)
        return bounds_for(size, vit_patch, self.size, least=least)

    def _batch(
        self, variant: Variant, size: Size, bounds: BatchBounds, *, checkpointing: bool
    ) -> int | None:
        def memory(batch: int) -> int:
            step = self.meter.step(variant, Tile(size, batch), checkpointing)
            if self.least is None or step.total < self.least.total:
                self.least = step
            return step.total

        try:
            return largest_batch(memory, self.usable, least=bounds.least, most=bounds.most)
        except ConfigError:
            # a head with a backbone of its own has no blocks that could compute again
            if checkpointing and CHECKPOINTING in self.free:
                return None
            raise


def _by_size(sizes: list[Size], vit_patch: int, *, large: bool) -> Iterator[Size]:
    """Yield the sizes that are nearly the first one, or the others."""
    enough = NEARLY_WHOLE * tokens_of(sizes[0], vit_patch)
    for size in sizes:
        if (tokens_of(size, vit_patch) >= enough) is large:
            yield size
