"""Time `vit_cli report` on 500 cases, and Chromium on the page that it writes.

    python benchmarks/report.py [--cases 500] [--keep FOLDER]

Cases are noise of 512 x 512 pixels in three colours, which JPEG shrinks least, with smooth blobs of
two classes. The page is opened as a file, offline, where Chromium and the extra `browser` are
installed: the time is until it is laid out and its script has run.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter
from skimage.io import imsave

SIZE, SMOOTH, OPENED = 512, 24, 5
DESCRIPTION = {
    "labels": {"background": 0, "blob": 1, "spot": 2},
    "file_ending": ".png",
    "channel_names": {"0": "R", "1": "G", "2": "B"},
}
LOG = """2026-01-01 10:00:00.1: Epoch {0}
2026-01-01 10:00:00.2: Current learning rate: {1}
2026-01-01 10:00:01.1: train_loss {2}
2026-01-01 10:00:01.2: val_loss {3}
2026-01-01 10:00:01.3: Pseudo dice [{4}, {5}]
2026-01-01 10:00:01.4: Epoch time: 60.5 s
"""


def write_case(folder: Path, number: int) -> dict[str, str]:
    """Write image, reference and prediction; return nnU-Net's entry of the case."""
    random, name = np.random.default_rng(number), f"case_{number:04}.png"
    truth = gaussian_filter(random.normal(size=(SIZE, SIZE)), SMOOTH)
    guess = truth + 0.3 * gaussian_filter(random.normal(size=(SIZE, SIZE)), SMOOTH)
    image = random.integers(0, 256, (SIZE, SIZE, 3)).astype(np.uint8)
    places = {
        "reference_file": folder / "raw/Dataset001_Noise/labelsTr" / name,
        "prediction_file": folder / f"a__b__2d/fold_{number % 5}/validation" / name,
    }
    for place, field in zip(places.values(), (truth, guess), strict=True):
        mask = (field > 0.004).astype(np.uint8) + (field > 0.02)
        imsave(place, mask.astype(np.uint8), check_contrast=False)
    images = folder / "raw/Dataset001_Noise/imagesTr"
    imsave(images / name.replace(".png", "_0000.png"), image, check_contrast=False)
    return {key: str(place) for key, place in places.items()}


def write(folder: Path, count: int) -> Path:
    """Write a model folder of five folds with logs of 1000 epochs; return it."""
    model = folder / "a__b__2d"
    for fold in range(5):
        (model / f"fold_{fold}/validation").mkdir(parents=True)
        with (model / f"fold_{fold}/training_log_1.txt").open("w") as log:
            for epoch in range(1000):
                dice = 1 - 0.9 ** (epoch / 20)
                log.write(
                    LOG.format(
                        epoch, 0.01 * (1 - epoch / 1000) ** 0.9, -dice, 0.1 - dice, dice, dice
                    )
                )
    for name in ("imagesTr", "labelsTr"):
        (folder / "raw/Dataset001_Noise" / name).mkdir(parents=True)
    with ThreadPoolExecutor() as pool:
        entries = list(pool.map(lambda number: write_case(folder, number), range(count)))
    for fold in range(5):
        text = json.dumps({"metric_per_case": entries[fold::5]})
        (model / f"fold_{fold}/validation/summary.json").write_text(text)
    plans = {"dataset_name": "Dataset001_Noise", "configurations": {"2d": {}}}
    (model / "dataset.json").write_text(json.dumps(DESCRIPTION))
    (model / "plans.json").write_text(json.dumps(plans))
    return model


def written(model: Path, page: Path) -> float:
    """Return the seconds of the command."""
    command = [sys.executable, "-m", "nnunet_vit", "report", str(model), "-o", str(page)]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def opened(page: Path) -> list[float]:
    """Return the seconds until Chromium has laid out the page, several times."""
    from playwright.sync_api import sync_playwright

    ready = "() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))"
    found = []
    with sync_playwright() as started:
        chromium = started.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for _ in range(OPENED):
            shown = chromium.new_page(viewport={"width": 1280, "height": 900})
            began = time.perf_counter()
            shown.goto(page.as_uri())
            shown.evaluate(ready)
            found.append(time.perf_counter() - began)
            shown.close()
        chromium.close()
    return found


def main() -> None:
    """Write cases, their page, and how long both took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--keep", type=Path, help="folder for the page")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        model = write(Path(place), given.cases)
        page = (given.keep or Path(place)) / "report.html"
        seconds = written(model, page)
        print(
            f"{given.cases} cases: written in {seconds:.1f} s, {page.stat().st_size / 1e6:.1f} MB"
        )
        if shutil.which("chromium"):
            times = sorted(opened(page))
            print(f"opened in {times[len(times) // 2]:.2f} s (median), {times[-1]:.2f} s (longest)")


if __name__ == "__main__":
    main()
