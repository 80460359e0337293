"""The study's datasets, in nnU-Net's format: the test images are the validation cases of each fold.

Fold 0 trains on the first of the study's shares, fold 1 on the second, and so on. nnU-Net and
`vit_cli train` measure the validation cases after the last epoch, with its weights: nothing is
chosen by them.
"""

import json
import random
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from cell_training import VIT_CLI

SHUFFLE = 502  # the seed that orders training cases
SLICES = range(50, 150, 2)  # of ICBM152, with much brain
TESTED = range(22, 32)  # numbers of those slices that are tested: a block, apart by SPACE
SPACE = 3
TISSUE = 0.5  # probability of a tissue from which a pixel is labelled with it


def prepared(name, spec, study, work, raw):
    """Make a dataset once; return its folder and the file of its folds.

    Args:
        name: of the dataset.
        spec: its entry in the study.
        study: the whole of it.
        work: folder to work in.
        raw: folder with Dataset502_DSB2018.
    """
    folder = work / "raw" / f"Dataset{spec['id']:03d}_{name.capitalize()}"
    splits = work / f"splits_{name}.json"
    if not splits.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        training, tested = MAKERS[spec["from"]](folder, raw)
        random.Random(SHUFFLE).shuffle(training)
        counts = [round(share * len(training)) for share in study["shares"]]
        folds = [{"train": sorted(training[:count]), "val": sorted(tested)} for count in counts]
        splits.write_text(json.dumps(folds, indent=1))
    return folder, splits


def _nuclei(folder, raw):
    """Both parts of DSB2018 as one dataset."""
    return _joined(folder, raw / "Dataset502_DSB2018")


def _joined(folder, source):
    """Put the training and the test images of a dataset among each other; return their names."""
    for part in ("images", "labels"):
        for side in ("Tr", "Ts"):
            shutil.copytree(source / f"{part}{side}", folder / f"{part}Tr", dirs_exist_ok=True)
    training, tested = (_cases(source / f"labels{side}") for side in ("Tr", "Ts"))
    _describe(folder, json.loads((source / "dataset.json").read_text()), [*training, *tested])
    return training, tested


def _retina(folder, raw):
    """The drawn sample dataset."""
    drawn = folder.parents[1] / "drawn"
    shutil.rmtree(drawn, ignore_errors=True)
    subprocess.run([*VIT_CLI, "sample-dataset", str(drawn)], check=True, stdout=subprocess.DEVNULL)
    (source,) = drawn.glob("Dataset*")
    return _joined(folder, source)


def _brain(folder, raw):
    """Axial slices of the T1 template; labels: the tissue that is more probable than not."""
    import nibabel
    import numpy as np

    place = Path(find_spec("nilearn").origin).parent / "datasets" / "data"
    files = [
        place / f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
        for kind in ("t1", "gm", "wm")
    ]
    head, grey, white = (np.asarray(nibabel.load(file).dataobj, np.float32) for file in files)
    grey, white = (each / each.max() for each in (grey, white))
    labels = np.where(white > TISSUE, 2, np.where(grey > TISSUE, 1, 0)).astype(np.uint8)
    (folder / "imagesTr").mkdir(parents=True)
    (folder / "labelsTr").mkdir()
    training, tested = [], []
    for number, height in enumerate(SLICES):
        if number not in TESTED and min(abs(number - each) for each in TESTED) <= SPACE:
            continue  # a neighbour of what is tested looks like it
        case = f"slice_{height:03d}"
        (tested if number in TESTED else training).append(case)
        for array, name in ((head, f"imagesTr/{case}_0000"), (labels, f"labelsTr/{case}")):
            image = nibabel.Nifti1Image(array[:, :, height : height + 1], np.eye(4))
            nibabel.save(image, folder / f"{name}.nii.gz")
    described = {
        "channel_names": {"0": "T1"},
        "labels": {"background": 0, "grey matter": 1, "white matter": 2},
        "file_ending": ".nii.gz",
    }
    _describe(folder, described, [*training, *tested])
    return training, tested


def _describe(folder, described, cases):
    """Write what nnU-Net wants to know of a dataset with these cases."""
    described["numTraining"] = len(cases)
    (folder / "dataset.json").write_text(json.dumps(described))


def _cases(folder):
    return sorted(path.name.split(".")[0] for path in folder.iterdir())


MAKERS = {"dsb2018": _nuclei, "sample": _retina, "icbm152": _brain}
