"""Which grid of patches the positions in a file were made for: a count alone does not tell."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.errors import ConfigError, ModelError
from nnunet_vit.modeling.weights.configs.timm_snapshot import timm_snapshot
from nnunet_vit.modeling.weights.configs.transformers_config import transformers_snapshot

Grid = tuple[int, int]
KEY = "model.position_grid"

_rehearsing: ContextVar[bool] = ContextVar("rehearsing", default=False)


@contextmanager
def rehearsal() -> Iterator[None]:
    """Load positions of an unknown grid somehow: a network of another size is built to be tried."""
    token = _rehearsing.set(True)
    try:
        yield
    finally:
        _rehearsing.reset(token)


def is_rehearsed() -> bool:
    """Tell whether positions are only loaded to try a network of another size."""
    return _rehearsing.get()


def is_square(count: int) -> bool:
    """Tell whether a count is that of a square grid."""
    return count > 0 and math.isqrt(count) ** 2 == count


@dataclass(frozen=True)
class FileGrid:
    """What is known of a file's grid of patches.

    The first of these that fits the count of positions decides: what the run says, what config.json
    says, the run's own grid where the counts are equal, a square.

    Attributes:
        stated: (H, W) by the run.
        pixels: (H, W) of the images in pixels, by config.json.
        square: whether it is known to be square: all published weights are.
    """

    stated: Grid | None = None
    pixels: Grid | None = None
    square: bool = False

    def read(self, count: int, own: Grid, patch: Grid | None, path: Path) -> tuple[Grid, str]:
        """Return the file's grid, and a sentence where another reading is possible.

        Args:
            count: of the file's positions of patches.
            own: grid of the run.
            patch: of the file, pixels; None: unknown.
            path: of the file.

        Raises:
            ConfigError: the run's grid has another count.
            ModelError: the grid cannot be told.
        """
        if self.stated is not None:
            return self._as_stated(count, path), ""
        said = self.of_pixels(patch)
        if said is not None and said[0] * said[1] == count:
            return said, ""
        edge = math.isqrt(max(count, 0))
        is_square = edge > 0 and edge * edge == count
        if count == own[0] * own[1] and not (self.square and is_square):
            return own, _sentence(count, own, edge if is_square else 0)
        if is_square:
            return (edge, edge), ""
        if _rehearsing.get() and count > 0:
            return (1, count), ""
        raise ModelError(
            f"{path}: its position embeddings are of {count} patches, which is no square, so they "
            f"cannot be resized to {own[0]} x {own[1]} patches.",
            fix=f"say the file's own grid, {KEY}: [H, W] in patches, or train at the image size "
            "that it was made for.",
        )

    def read_distances(
        self, count: int, own: Grid, patch: Grid | None, *, path: Path
    ) -> tuple[Grid, str]:
        """Return the grid behind a table of (2 H - 1) x (2 W - 1) distances, as read does.

        Raises:
            ConfigError: the run's grid has another count.
            ModelError: the grid cannot be told.
        """
        edge = (math.isqrt(max(count, 0)) + 1) // 2
        candidates = [self.stated, self.of_pixels(patch), own, (edge, edge)]
        if self.square:
            candidates.insert(0, (edge, edge))
        for grid in candidates:
            if grid is not None and (2 * grid[0] - 1) * (2 * grid[1] - 1) == count:
                return self.read(grid[0] * grid[1], own, patch, path) if grid == own else (grid, "")
        raise ModelError(
            f"{path}: its table of relative positions is of {count} distances, which is no square, "
            f"so it cannot be resized to {own[0]} x {own[1]} patches.",
            fix=f"say the file's own grid, {KEY}: [H, W] in patches.",
        )

    def of_pixels(self, patch: Grid | None) -> Grid | None:
        """Return the grid that config.json says, by the file's patch; None: unknown."""
        if self.pixels is None or patch is None:
            return None
        return self.pixels[0] // patch[0], self.pixels[1] // patch[1]

    def _as_stated(self, count: int, path: Path) -> Grid:
        assert self.stated is not None
        height, width = self.stated
        if height * width != count:
            raise ConfigError(
                f"{KEY}: given [{height}, {width}], which is {height * width} patches; {path} has "
                f"positions of {count}.",
                fix=f"{KEY}: two numbers whose product is {count}, or null.",
            )
        return self.stated


def grid_of_snapshot(weights: Path) -> Grid | None:
    """Return the (H, W) in pixels that a snapshot's config.json says; None: it says none.

    Raises:
        ModelError: it is damaged.
    """
    if (of_timm := timm_snapshot(weights)) is not None:
        return of_timm.image_size
    said = transformers_snapshot(weights)
    return said.settings.get("image_size") if said is not None else None


def _sentence(count: int, own: Grid, edge: int) -> str:
    height, width = own
    if height == width or _rehearsing.get():
        return ""
    other = f"[{edge}, {edge}]" if edge else f"[{width}, {height}]"
    return (
        f"its {count} positions are read as {height} x {width} patches, the run's own grid; if the "
        f"file was made for another, write it, such as {KEY}: {other}"
    )
