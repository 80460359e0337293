"""Folds by patients, the whole way: trained, validated, evaluated, and read by stock nnU-Net."""

import json

import pytest

pytestmark = pytest.mark.end_to_end

RUN = """
    data: {dataset: 903, groups: patients.csv, stratify: true}
    paths: {raw: patients, preprocessed: "patients pre", results: "patients res"}
    model: {head: linear, backbone: "timm:test_vit", pretrained: false}
    train: {num_epochs: 2, num_iterations_per_epoch: 2, num_val_iterations_per_epoch: 1,
            batch_size: 2, patch_size: [64, 64], seed: 5}
"""
STOCK = """
    import json, torch
    from pathlib import Path
    from nnunetv2.training.dataloading.nnunet_dataset import infer_dataset_class
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    folder = Path("patients pre/Dataset903_Patients")
    plans = json.loads((folder / "nnUNetPlans.json").read_text()) | {"continue_training": False}
    told = json.loads((folder / "dataset.json").read_text())
    splits = []
    for fold in range(5):
        trainer = nnUNetTrainer(plans, "2d", fold, told, torch.device("cpu"))
        trainer.dataset_class = infer_dataset_class(trainer.preprocessed_dataset_folder)
        splits.append(trainer.do_split())
        plans["continue_training"] = False
    Path("stock.json").write_text(json.dumps(splits))
"""
TRAIN = ("train", "--config", "patients.yaml", "--device", "cpu")


def patient_of(case):
    return f"P{int(case[-3:]) // 3}"


@pytest.fixture(scope="module")
def trained(installed):
    small = ["--training-cases", 20, "--test-cases", 1, "--image-size", 64]
    installed.succeed("sample-dataset", "patients/Dataset903_Patients", *small)
    cases = [f"fundus_{number:03}" for number in range(20)]
    rows = "".join(f"{case},{patient_of(case)}\n" for case in cases)
    installed.write("patients.csv", f"case,group\n{rows}")
    installed.write("patients.yaml", RUN)
    output = installed.succeed(*TRAIN, "--folds", 0, 1)
    (folder,) = (installed.folder / "patients res").glob("*/*")
    return installed, output, folder


def splits_file(installed):
    return installed.folder / "patients pre" / "Dataset903_Patients" / "splits_final.json"


def test_patients_stay_in_one_fold(trained):
    installed, output, _ = trained
    splits = json.loads(splits_file(installed).read_text())
    for fold in splits:
        assert not {*map(patient_of, fold["train"])} & {*map(patient_of, fold["val"])}
    assert sorted(case for fold in splits for case in fold["val"]) == [
        f"fundus_{number:03}" for number in range(20)
    ]
    assert "5 folds of 7 groups by data.groups" in output
    assert "classes balanced; validation cases: " in output


def test_the_validations_are_those_of_the_folds(trained):
    installed, _, folder = trained
    splits = json.loads(splits_file(installed).read_text())
    for fold in (0, 1):
        masks = folder / f"fold_{fold}" / "validation"
        assert sorted(mask.stem for mask in masks.glob("*.png")) == splits[fold]["val"]
    truth = installed.folder / "patients" / "Dataset903_Patients" / "labelsTr"
    evaluated = installed.succeed("evaluate", "-p", folder / "fold_0" / "validation", "-r", truth)
    assert "Dice" in evaluated


def test_stock_nnunet_reads_the_same_splits(trained):
    installed, *_ = trained
    installed.write("stock.py", STOCK)
    variables = {
        "nnUNet_raw": "patients", "nnUNet_preprocessed": "patients pre",
        "nnUNet_results": "stock res",
    }  # fmt: skip
    done = installed("python", "stock.py", **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    read = json.loads((installed.folder / "stock.json").read_text())
    splits = json.loads(splits_file(installed).read_text())
    assert read == [[fold["train"], fold["val"]] for fold in splits]


def test_folds_of_other_patients_are_refused(trained):
    installed, *_ = trained
    before = splits_file(installed).read_bytes()
    done = installed.vit_cli(*TRAIN, "--set", "data.fold=2", r"data.groups='\d(\d)$'")
    assert done.returncode == 3
    assert "groups are in 'train' and in 'val' of folds " in done.stderr
    assert splits_file(installed).read_bytes() == before
