"""Time and peak memory of `vit_cli predict` on one large TIFF, which is drawn for it.

    python benchmarks/large_image.py MODEL_FOLDER [--size LINES COLUMNS] [--device cpu] [-- MORE]

The image is a tiled RGB TIFF of blobs in a temporary folder; without more options the command gets
--no-mirroring --step-size 1. Memory is the highest resident size of the real command.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile

TILE = 512
PERIOD = 1024  # pixels after which the blobs are drawn again, a little apart


def drawn(seed: int = 0) -> np.ndarray:
    """Return a square of dark blobs on a bright ground, (PERIOD, PERIOD, 3) uint8."""
    random = np.random.default_rng(seed)
    ground = random.random((PERIOD, PERIOD)) * 40 + 180
    down, across = np.mgrid[:PERIOD, :PERIOD]
    for _ in range(120):
        y, x = random.integers(0, PERIOD, 2)
        radius = random.integers(8, 25)
        ground[(down - y) ** 2 + (across - x) ** 2 < radius**2] = random.integers(60, 110)
    return np.stack([ground, ground * 0.8, np.minimum(ground * 1.1, 255)], -1).astype(np.uint8)


def tiles(size: tuple[int, int]) -> Iterator[np.ndarray]:
    """Yield the tiles of an image, row by row; no two neighbours are alike."""
    square = drawn()
    for row in range(-(-size[0] // TILE)):
        for column in range(-(-size[1] // TILE)):
            y, x = (row * 97 + column * 7) % TILE, (column * 89 + row * 13) % TILE
            yield square[y : y + TILE, x : x + TILE]


def write_image(file: Path, size: tuple[int, int]) -> None:
    """Write an RGB TIFF of so many lines and columns, tiled and compressed."""
    with tifffile.TiffWriter(file, bigtiff=size[0] * size[1] * 3 > 3e9) as tiff:
        tiff.write(
            tiles(size), shape=(*size, 3), dtype=np.uint8, tile=(TILE, TILE),
            photometric="rgb", compression="zlib",
        )  # fmt: skip


def peak_of(command: list[str]) -> tuple[float, int]:
    """Return the seconds that a command takes and its highest resident memory in bytes."""
    began = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed: {status}")
    return time.perf_counter() - began, usage.ru_maxrss * 1024


def main() -> None:
    """Draw, predict, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument(
        "--size", type=int, nargs=2, default=(20000, 20000), metavar=("LINES", "COLUMNS")
    )
    parser.add_argument("--device", default="cpu")
    parser.add_argument("more", nargs="*", default=["--no-mirroring", "--step-size", "1"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        images, masks = Path(folder, "images"), Path(folder, "masks")
        images.mkdir()
        height, width = given.size
        write_image(images / "large_0000.tif", (height, width))
        command = [
            str(Path(sys.executable).parent / "vit_cli"), "predict", "-i", str(images),
            "-o", str(masks), "--model", str(given.model), "--device", given.device, *given.more,
        ]  # fmt: skip
        seconds, peak = peak_of(command)
        levels = []  # a small image's mask has the format of the model's images
        for file in masks.glob("large.tif"):
            with tifffile.TiffFile(file) as mask:
                levels = [page.shape for page in mask.pages]
    whole = height * width * (3 * 4 + 2 * 2)  # float32 image and half-precision logits of 2 classes
    print(
        f"{height} x {width}: {seconds:.0f} s, peak memory {peak / 1e9:.2f} GB, "
        f"{peak / whole:.2f} of what the whole image and its logits alone take "
        f"({whole / 1e9:.2f} GB); levels of the mask: {levels}"
    )


if __name__ == "__main__":
    main()
