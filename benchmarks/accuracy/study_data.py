"""The study's datasets, in nnU-Net's format: the test images are the validation cases of each fold.

Fold 0 trains on the first of the study's shares, fold 1 on the second, and so on. nnU-Net and
`vit_cli train` measure the validation cases after the last epoch, with its weights: nothing is
chosen by them.
"""

import json
import random
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

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
    source = raw / "Dataset502_DSB2018"
    for part in ("images", "labels"):
        for side in ("Tr", "Ts"):
            shutil.copytree(source / f"{part}{side}", folder / f"{part}Tr", dirs_exist_ok=True)
    described = json.loads((source / "dataset.json").read_text())
    training, tested = (_cases(source / f"labels{side}") for side in ("Tr", "Ts"))
    described["numTraining"] = len(training) + len(tested)
    (folder / "dataset.json").write_text(json.dumps(described))
    return training, tested


def _retina(folder, raw):
    """The drawn sample dataset, its test images among the others."""
    subprocess.run(
        [sys.executable, "-c", "from nnunet_vit.cli import main; main()", "sample-dataset",
         str(folder.parent / "drawn"), "--overwrite"], check=True,
    )  # fmt: skip
    (source,) = (folder.parent / "drawn").glob("Dataset*")
    shutil.move(source, folder)
    training, tested = (_cases(folder / f"labels{side}") for side in ("Tr", "Ts"))
    for part in ("images", "labels"):
        shutil.copytree(folder / f"{part}Ts", folder / f"{part}Tr", dirs_exist_ok=True)
    described = json.loads((folder / "dataset.json").read_text())
    described["numTraining"] = len(training) + len(tested)
    (folder / "dataset.json").write_text(json.dumps(described))
    return training, tested


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
        "numTraining": len(training) + len(tested),
        "file_ending": ".nii.gz",
    }
    (folder / "dataset.json").write_text(json.dumps(described))
    return training, tested


def _cases(folder):
    return sorted(path.name.split(".")[0] for path in folder.iterdir())


MAKERS = {"dsb2018": _nuclei, "sample": _retina, "icbm152": _brain}
