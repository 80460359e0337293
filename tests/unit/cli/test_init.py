"""vit_cli init: the run file that it writes is valid, and nothing is overwritten unasked."""

import pytest

from nnunet_vit.config.load import load_run
from nnunet_vit.registry import catalogue

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_file_is_valid_as_it_stands(vit_cli, empty_folder):
    code, out, err = vit_cli("init")
    assert (code, err) == (0, "")
    assert out == (
        "run.yaml is a valid run file. Change it to yours.\n"
        "Next: vit_cli train DATASET --config run.yaml\n"
    )
    run = load_run(empty_folder / "run.yaml")
    assert (run.model.head, run.model.backbone, run.model.backbone_size) == (
        "segformer", "dinov3", "large",
    )  # fmt: skip
    assert max(map(len, (empty_folder / "run.yaml").read_text().splitlines())) <= 120
    code, out, _ = vit_cli("validate", "run.yaml")
    assert (code, out.startswith("run.yaml is valid")) == (0, True)


@pytest.mark.parametrize("head", sorted(catalogue.installed(catalogue.HEADS)))
def test_each_head_on_a_vit_of_timm(vit_cli, empty_folder, head):
    words = ("--head", head, "--backbone", "timm:vit_tiny_patch16_224", "--dataset", "007")
    code, out, err = vit_cli("init", "my run.yaml", *words)
    assert (code, err) == (0, "")
    assert out.endswith("Next: vit_cli train --config 'my run.yaml'\n")
    run = load_run(empty_folder / "my run.yaml")
    assert (run.model.head, run.data.dataset) == (head, 7)


def test_weights_that_are_not_fetched_have_to_be_given(vit_cli, empty_folder):
    code, _, err = vit_cli("init", "--backbone", "retfound")
    assert code == 2
    assert err.startswith("error[config]: model.checkpoint_path: given ''")
    assert not (empty_folder / "run.yaml").exists()
    (empty_folder / 'we"ights.pth').touch()
    words = ("--backbone", "retfound", "--checkpoint-path", 'we"ights.pth')
    assert vit_cli("init", *words)[0] == 0
    run = load_run(empty_folder / "run.yaml")
    assert run.model.checkpoint_path == str(empty_folder / 'we"ights.pth')


def test_a_file_that_is_there_stays(vit_cli, empty_folder):
    (empty_folder / "run.yaml").write_text("mine")
    code, _, err = vit_cli("init")
    assert (code, err) == (
        2,
        "error[config]: run.yaml is there. Fix: another name, or --overwrite.\n",
    )
    assert (empty_folder / "run.yaml").read_text() == "mine"
    assert vit_cli("init", "--overwrite")[0] == 0
    assert vit_cli("init", "--overwrite", "--head", "segfromer")[2].startswith(
        "error[config]: model.head: Unknown head 'segfromer'. Did you mean"
    )
    assert "head: segformer" in (empty_folder / "run.yaml").read_text()


def test_a_folder_that_is_not_there(vit_cli):
    code, _, err = vit_cli("init", "none/run.yaml")
    assert code == 6
    assert "none/run.yaml: cannot be written" in err
