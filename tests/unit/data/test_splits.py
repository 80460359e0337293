"""splits_final.json: what is wrong is named before a training; new cases join."""

import json

import pytest
from fold_cases import checked_fold

from nnunet_vit.data.splits import extended, read_splits, usual_splits
from nnunet_vit.errors import ConfigError, DataError

pytestmark = pytest.mark.unit

FIX = "Fix: correct it, or delete it: without it nnU-Net makes 5 folds of all cases."
GOOD = [{"train": ["a", "b"], "val": ["c"]}, {"train": ["c"], "val": ["a", "b"]}]
FORM = 'needed: [{"train": ["case", …], "val": ["case", …]}, …], one object per fold'


@pytest.fixture
def path(tmp_path):
    (tmp_path / "Dataset005_Mine").mkdir()
    return tmp_path / "Dataset005_Mine" / "splits_final.json"


def refusal(path, content, cases="abc"):
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        checked_fold(path, 0, list(cases), ending=".png")
    error = str(caught.value)
    assert error.startswith(str(path))
    assert error.endswith(FIX)
    return error.removeprefix(str(path)).removesuffix(FIX).strip(" :")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('[{"train": ["a",], "val": ["b"]}]', "cannot be read as JSON: "),
        ('[{"train": ["a"', "cannot be read as JSON: "),
        ("", "is empty."),
        (
            '[{"train": ["a"], "val": ["b"], "train": ["c"]}]',
            "the key 'train' is there twice; only the last one would count.",
        ),
        ({"train": ["a"], "val": ["b"]}, f"holds an object; {FORM}."),
        (None, f"holds null; {FORM}."),
        (7, f"holds a number; {FORM}."),
        ([], f"has no fold; {FORM}."),
        ([["a"], ["b"]], "fold 0: a list, not an object with train and val; fold 1: "),
        ([{"train": ["a"]}], "fold 0: 'val' is missing, not a list of cases."),
        ([{"train": "ab", "val": ["c"]}], "fold 0: 'train' is a string, not a list of cases."),
        ([{"train": {"a": 1}, "val": ["c"]}], "fold 0: 'train' is an object, not a list"),
        ([{"train": ["a", "b"], "val": []}], "fold 0: 'val' is empty."),
        ([{"train": [1, 2], "val": ["c"]}], "fold 0: 'train' has names that are no texts."),
        (
            [*GOOD, {"train": ["a", "x"], "val": ["b"]}],
            "fold 2: 'train': x is no case of the dataset.",
        ),
        (
            [{"train": ["a.png", "b.png"], "val": ["c"]}],
            "fold 0: 'train': a.png, b.png are no cases of the dataset (names of cases have no "
            "'.png').",
        ),
        ([{"train": ["a", "b"], "val": ["b", "c"]}], "fold 0: in 'train' and in 'val': b."),
        ([{"train": ["a"], "val": ["b", "b"]}], "fold 0: 'val' has more than once: b."),
        (
            [{"train": ["x"], "val": []}, {"train": ["a"], "val": ["a"]}],
            "fold 0: 'train': x is no case of the dataset; fold 0: 'val' is empty; fold 1: in "
            "'train' and in 'val': a.",
        ),
    ],
)
def test_wrong_splits_are_refused_with_file_fold_and_cases(path, content, text):
    assert refusal(path, content).startswith(text)


def test_many_problems_are_shortened(path):
    folds = [{"train": ["x"], "val": ["y"]}] * 9
    assert refusal(path, folds).endswith(
        "fold 2: 'val': y is no case of the dataset; … (18 in all)."
    )


@pytest.mark.parametrize("write", ["mkdir", "latin"])
def test_a_file_that_cannot_be_read(path, write):
    if write == "mkdir":
        path.mkdir()
    else:
        path.write_bytes(b'[{"train": ["\xe4"]}]')
    with pytest.raises(DataError) as caught:
        checked_fold(path, 0, list("abc"))
    assert str(caught.value).startswith(f"{path} cannot be read")


def test_ten_folds_of_ones_own(path):
    cases = list("abcdef")
    folds = [{"train": [n for n in cases if n != c], "val": [c]} for c in [*cases, *"abcd"]]
    path.write_text(json.dumps(folds))
    for fold in range(10):
        assert checked_fold(path, fold, cases) == []
    with pytest.raises(ConfigError) as caught:
        checked_fold(path, 10, cases)
    assert str(caught.value) == f"data.fold: 10; {path} has folds 0 to 9."


def test_one_fold(path):
    path.write_text(json.dumps(GOOD[:1]))
    with pytest.raises(ConfigError) as caught:
        checked_fold(path, 1, list("abc"))
    assert str(caught.value) == f"data.fold: 1; {path} has fold 0 alone."


def test_without_a_file_there_are_five_folds(path):
    for fold in range(5):
        assert checked_fold(path, fold, list("abcde")) == []
    with pytest.raises(ConfigError) as caught:
        checked_fold(path, 99, list("abcde"))
    assert str(caught.value) == (
        f"data.fold: 99; without {path} nnU-Net makes folds 0 to 4. Fix: one of them, all, or a "
        "splits file with more folds."
    )
    with pytest.raises(DataError) as caught:
        checked_fold(path, 0, list("abcd"))
    assert str(caught.value) == (
        "Dataset005_Mine has 4 cases; five folds need five. Fix: data.fold: all"
    )


def test_fold_all_looks_at_no_splits(path):
    path.write_text("no JSON")
    assert checked_fold(path, "all", ["a"]) == []


def test_cases_in_no_fold_are_a_notice(path):
    path.write_text(json.dumps(GOOD))
    assert checked_fold(path, 0, list("abcde")) == [f"2 cases are in no fold of {path}: d, e."]
    assert checked_fold(path, 0, list("abcd")) == [f"1 case is in no fold of {path}: d."]
    assert checked_fold(path, 0, list("abcd"), joining=["d"]) == []
    assert checked_fold(path, 0, list("abc")) == []


def test_a_case_may_train_more_often(path):
    path.write_text(json.dumps([{"train": ["a", "a", "b"], "val": ["c"]}]))
    assert read_splits(path, list("abc"))[0]["train"] == ["a", "a", "b"]


def test_our_own_five_folds_are_nnunets(tmp_path):
    from nnunetv2.utilities.crossval_split import generate_crossval_split

    cases = [f"case_{number:03}" for number in (7, 3, 1, 12, 5, 9)]
    stock = json.loads(json.dumps(generate_crossval_split(sorted(cases), seed=12345, n_splits=5)))
    assert usual_splits(cases) == stock


def test_new_cases_go_to_the_fold_with_the_fewest_validation_cases():
    assert extended(GOOD, ["f", "e", "d"]) == [
        {"train": ["a", "b", "f"], "val": ["c", "d", "e"]},
        {"train": ["c", "d", "e"], "val": ["a", "b", "f"]},
    ]
    assert GOOD[0] == {"train": ["a", "b"], "val": ["c"]}


def test_a_single_split_keeps_its_shares():
    split = [{"train": list("abcd"), "val": ["e"]}]
    new = [f"n{number}" for number in range(10)]
    (result,) = extended(split, new)
    assert (len(result["train"]), len(result["val"])) == (12, 3)
