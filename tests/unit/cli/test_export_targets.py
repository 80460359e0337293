"""`vit_cli export` wants one target."""

import pytest

from nnunet_vit import cli

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("targets", [[], ["--onnx", "m.onnx", "--bioimageio", "r.zip"]])
def test_one_target(targets, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", "MODEL", *targets])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "export needs one target; given: " in told
    assert "--bioimageio RECORD.zip" in told


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--onnx", "m.onnx", "--adapters-only"], "--adapters-only: for --to alone. Fix: leave it"),
        (["--to", "m.zip", "--opset", "18"], "--opset: for --onnx and --bioimageio alone."),
        (["--onnx", "m.onnx", "--title", "A"], "--title and --example: for --bioimageio alone."),
    ],
)
def test_options_of_another_target(given, told, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", "MODEL", *given])
    assert ended.value.code == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_the_model_is_looked_at_before_any_work(capsys, tmp_path):
    pytest.importorskip("onnxruntime", reason="pip install -e '.[onnx]' for it")
    with pytest.raises(SystemExit) as ended:
        cli.main(["export", str(tmp_path / "none"), "--onnx", str(tmp_path / "m.onnx")])
    assert ended.value.code == 5
    assert "is no model folder" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
