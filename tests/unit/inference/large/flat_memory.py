"""Predict one image by itself in strips; print the process's highest resident memory.

python flat_memory.py FOLDER HEIGHT WIDTH
"""

import math
import resource
import sys
from pathlib import Path

import numpy as np
import tifffile
from predicting_model import model_of

from nnunet_vit.inference.inputs import Inputs
from nnunet_vit.inference.large.large_cases import predict_large
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress

TILE = 256


def main(folder, size):
    square = np.random.default_rng(0).integers(1, 255, (TILE, TILE)).astype(np.uint8)
    file = folder / "a_0000.tif"
    tiles = (square for _ in range(math.prod(-(-edge // TILE) for edge in size)))
    tifffile.imwrite(file, tiles, shape=size, dtype=np.uint8, tile=(TILE, TILE))
    model = model_of(".tif", tile=(256, 256), axes=None)
    predict_large(
        Inputs({"a": [file]}, {}, large=("a",)), folder, model,
        options=PredictionOptions("cpu", step=1.0), progress=Progress(),
    )  # fmt: skip
    with tifffile.TiffFile(folder / "a.tif") as mask:
        assert mask.pages[0].shape == size
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main(Path(sys.argv[1]), tuple(map(int, sys.argv[2:4])))
