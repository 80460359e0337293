"""A model travels: exported here, installed where neither run file, weights nor network are."""

import shutil

import pytest
from shared_models import IMAGES, exported, stored_model
from shared_models import installed as installed_bundle
from writable_hub import OWNER, TOKEN, writable_hub

pytestmark = pytest.mark.end_to_end
SLOW = pytest.mark.slow
MODELS = [("lora", 3), *(pytest.param(*each, marks=SLOW) for each in (("full", 1), ("frozen", 3)))]


def masks_of(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.png"))}


def elsewhere(folder):
    """Return the environment of somebody else: another home, no hub, nnU-Net's folder."""
    home = folder / "home"
    home.mkdir()
    results = folder / "their results"
    return {"HOME": str(home), "HF_HOME": str(home), "HF_HUB_OFFLINE": "1",
            "nnUNet_results": str(results)}  # fmt: skip


@pytest.mark.parametrize(("name", "folds"), MODELS)
def test_a_model_predicts_elsewhere_as_at_home(installed, tmp_path, name, folds):
    model = stored_model(name, tmp_path / "home results", folds)
    images = ("-i", IMAGES, "--device", "cpu")
    installed.succeed("predict", *images, "-o", tmp_path / "before", "--model", model)
    before = masks_of(tmp_path / "before")
    bundle, theirs = tmp_path / "model.zip", elsewhere(tmp_path)
    if folds == 1:
        output = installed.succeed("export", model, "--to", bundle)
        assert output.splitlines()[-1].startswith("Install with: vit_cli install ")
    else:  # in this process: sooner
        exported(model, bundle)
    shutil.rmtree(tmp_path / "home results")
    output = installed.succeed("install", bundle, **theirs)
    folder = tmp_path / "their results" / model.relative_to(tmp_path / "home results")
    *_, place, command = output.splitlines()
    assert place == f"Model: {folder}"
    assert command.startswith("Predict with: vit_cli predict -i IMAGES -o MASKS --model ")
    installed.succeed("predict", *images, "-o", tmp_path / "after", "--model", folder, **theirs)
    assert len(before) == 2 and masks_of(tmp_path / "after") == before


@pytest.mark.parametrize("way", ["install", pytest.param("--nnunet", marks=pytest.mark.slow)])
def test_stock_nnunet_predicts_the_same(installed, tmp_path, way):
    model = stored_model("frozen", tmp_path / "mine", 3)
    folder = tmp_path / "folder"
    if way == "install":
        folder = installed_bundle(exported(model, tmp_path / "model.zip"), tmp_path / "theirs")
    else:
        installed.succeed("export", model, "--nnunet", folder)
    ours, stock = tmp_path / "ours", tmp_path / "stock"
    installed.succeed("predict", "-i", IMAGES, "-o", ours, "--model", folder, "--device", "cpu")
    words = ("-i", IMAGES, "-o", stock, "-m", folder, "-device", "cpu", "-npp", 1, "-nps", 1)
    done = installed("nnUNetv2_predict_from_modelfolder", *words, "-f", 0, 1, 2)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(masks_of(stock)) == 2 and masks_of(ours) == masks_of(stock)


def test_a_hub_in_between(installed, tmp_path):
    model = stored_model("full", tmp_path / "mine")
    with writable_hub() as hub:
        theirs = elsewhere(tmp_path) | {"HF_ENDPOINT": hub.address, "HF_HUB_OFFLINE": "0"}
        name = f"{OWNER}/disc"
        output = installed.succeed("push", model, name, **theirs, HF_TOKEN=TOKEN)
        command = output.splitlines()[-1].removeprefix("Install with: vit_cli ").split()
        assert command[:3] == ["pull", name, "--revision"]
        output = installed.succeed(*command, **theirs)
        assert (tmp_path / "their results").is_dir()
        assert output.splitlines()[-2].startswith("Model: ")
        done = installed.vit_cli("push", model, name, **theirs)
        assert (done.returncode, done.stdout) == (5, "")
        assert "nobody is logged in" in done.stderr


def test_a_refused_zip_leaves_nothing(installed, tmp_path):
    bad = tmp_path / "model.zip"
    bad.write_bytes(b"PK\x05\x06" + bytes(18))
    done = installed.vit_cli("install", bad, nnUNet_results=str(tmp_path / "results"))
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith(f"error[model]: {bad} is no exported model: manifest.json is")
    assert [path.name for path in tmp_path.iterdir()] == ["model.zip"]
