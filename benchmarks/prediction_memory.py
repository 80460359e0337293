"""Peak memory of `vit_cli predict` over few and over many small images: it must not grow.

    python benchmarks/prediction_memory.py MODEL_FOLDER [--counts 10 1000] [--edge 256] [-- OPTIONS]

RGB images of noise in a temporary folder, in the model's format; without OPTIONS the command gets
--no-mirroring. Memory is the highest resident size of the real command.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from large_image import peak_of
from skimage.io import imsave


def main() -> None:
    """Predict each number of images, and print the ratio of the last to the first."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("--counts", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--edge", type=int, default=256)
    parser.add_argument("--ending", default=".png")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("more", nargs="*", default=["--no-mirroring"])
    given = parser.parse_args()
    peaks = []
    for count in given.counts:
        with tempfile.TemporaryDirectory() as folder:
            images = Path(folder, "images")
            images.mkdir()
            random = np.random.default_rng(0)
            for number in range(count):
                values = random.integers(0, 255, (given.edge, given.edge, 3), dtype=np.uint8)
                imsave(images / f"c{number:05}_0000{given.ending}", values, check_contrast=False)
            command = [
                str(Path(sys.executable).parent / "vit_cli"), "predict", "-i", str(images),
                "-o", str(Path(folder, "masks")), "--model", str(given.model),
                "--device", given.device, *given.more,
            ]  # fmt: skip
            seconds, peak = peak_of(command)
            peaks.append(peak)
            print(f"{count} images: {seconds:.1f} s, peak memory {peak / 1e6:.0f} MB", flush=True)
    print(f"ratio {peaks[-1] / peaks[0]:.3f}")


if __name__ == "__main__":
    main()
