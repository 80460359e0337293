"""Probabilities beside masks: measured, refused where they are none or of something else."""

import numpy as np
import pytest
from mask_folders import Said, folders, measured, probabilities, scene, three, write

from nnunet_vit.errors import ConfigError, DataError
from nnunet_vit.evaluation.evaluate import evaluate_folder
from nnunet_vit.evaluation.wanted import Wanted

__all__ = ["folders", "three"]  # fixtures
pytestmark = pytest.mark.unit


def test_probabilities_in_a_field_of_view(folders, tmp_path):
    places = folders({"a": scene()}, {"a": scene()})
    values = probabilities(scene())
    values[:, 0, 15] = [[0.1], [0.9], [0.0]]  # a wrong row
    np.savez_compressed(places[0] / "a.npz", probabilities=values)
    assert measured(places, "auc").measurement.statistics["disc"]["auc"].mean < 1
    inside = np.ones((16, 20))
    inside[15] = 0
    write(tmp_path / "fov", {"a": inside})
    found = measured(places, "auc", "ece", fields=tmp_path / "fov").measurement.statistics["disc"]
    assert found["auc"].mean == 1
    assert found["ece"].mean == pytest.approx((36 * 0.1 + 264 * 0.05) / 300, rel=1e-5)


def test_probabilities(folders):
    places = folders({"a": scene(1)}, {"a": scene()})
    np.savez_compressed(places[0] / "a.npz", probabilities=probabilities(scene()))
    wanted = Wanted(())
    said = Said()
    scores = evaluate_folder(*places, said, wanted=wanted)
    found = scores.measurement.statistics["disc"]
    assert (found["auc"].mean, found["average_precision"].mean) == (1, 1)
    assert found["ece"].mean == pytest.approx((36 * 0.1 + 284 * 0.05) / 320, rel=1e-5)
    assert found["dice"].mean == pytest.approx(5 / 6)
    assert any("1 mask of 1 are not what their probabilities say (a)" in w for w in said.warnings)


def test_probabilities_of_regions(folders):
    labels = {"background": 0, "whole": [1, 2], "cup": 2}
    places = folders({"a": scene()}, {"a": scene()}, labels, regions_class_order=[1, 2])
    values = np.stack([scene() > 0, scene() == 2])[:, None] * 0.8 + 0.1
    np.savez_compressed(places[0] / "a.npz", probabilities=values.astype(np.float16))
    said = Said()
    found = evaluate_folder(*places, said, wanted=Wanted(("auc", "ece"))).measurement.statistics
    assert said.warnings == []
    assert (found["whole"]["auc"].mean, found["cup"]["auc"].mean) == (1, 1)
    assert found["cup"]["ece"].mean == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize("asked", ["auc", "probabilities"])
def test_probabilities_that_are_not_there(three, asked):
    np.savez_compressed(three[0] / "a.npz", probabilities=probabilities(scene()))
    with pytest.raises(ConfigError) as caught:
        measured(three, "dice", asked)
    assert f"--metrics {asked} needs probabilities, CASE.npz" in str(caught.value)
    assert "b.png, c.png" in str(caught.value)
    assert "auc" not in [m.name for m in measured(three, "all").measurement.metrics]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"softmax": np.zeros(3)}, "a.npz holds no array 'probabilities'."),
        ({"probabilities": np.zeros((2, 1, 16, 20))}, "holds an array of shape (2, 1, 16, 20)"),
        ({"probabilities": np.zeros((3, 1, 8, 20))}, "holds an array of shape (3, 1, 8, 20)"),
        ({"probabilities": np.full((3, 1, 16, 20), np.nan)}, "other things than finite numbers"),
        ({"probabilities": np.full((3, 1, 16, 20), "x")}, "other things than finite numbers"),
        ({"probabilities": np.full((3, 1, 16, 20), 5.0)}, "numbers from 5 to 5; probabilities lie"),
        ({"probabilities": np.full((3, 1, 16, 20), 0.5)}, "do not add up to 1 over the classes"),
        ({"probabilities": probabilities(np.ones((16, 20)))}, "is of another prediction: 89% of"),
    ],
)
def test_files_of_probabilities_that_do_not_fit(folders, content, problem):
    places = folders({"a": scene()}, {"a": scene()})
    np.savez_compressed(places[0] / "a.npz", **content)
    with pytest.raises(DataError) as caught:
        measured(places)
    assert problem in str(caught.value)


def damaged(content):
    """Return an archive with a byte of its compressed numbers changed."""
    import io

    stream = io.BytesIO()
    np.savez_compressed(stream, probabilities=content)
    data = bytearray(stream.getvalue())
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


def plain(content):
    import io

    stream = io.BytesIO()
    np.save(stream, content)
    return stream.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 no more",
        b"",
        damaged(np.random.default_rng(0).random((3, 1, 16, 20))),
        plain(np.zeros((3, 1, 16, 20))),
    ],
    ids=["cut off", "empty", "a wrong byte", "an array of its own"],
)
def test_a_damaged_file_of_probabilities(folders, data):
    places = folders({"a": scene()}, {"a": scene()})
    (places[0] / "a.npz").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.npz (cannot be read|is no \.npz archive): ") as caught:
        measured(places)
    # numpy's own words are advice for programmers: to allow pickles
    assert "it is damaged or cut off, or nnU-Net did not write it. Fix: " in str(caught.value)
    assert "pickle" not in str(caught.value)
