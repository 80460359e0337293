"""How folds are made, as the run file says it: patterns, tables, own folds."""

from pathlib import Path

import pytest

from nnunet_vit.errors import ConfigError

pytestmark = pytest.mark.unit

ALLOWED = (
    "allowed: a table's file *.csv with the columns case and group, a pattern with one group in "
    r"parentheses like 'P(\d+)_', false or null"
)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("'P(\\d+_'", r"'P(\\d+_'; no pattern: missing ), unterminated subpattern at position 1"),
        ("P_", "'P_'; the pattern has no groups in parentheses"),
        ("'(P)(\\d)'", r"'(P)(\\d)'; the pattern has 2 groups in parentheses"),
        ("none.csv", "'none.csv'; no such file: {folder}/none.csv"),
        ("folder.CSV", "'folder.CSV'; a folder: {folder}/folder.CSV"),
        ('"x\\0.csv"', r"'x\x00.csv'; no path"),
    ],
)
def test_wrong_groups(run_of, run_folder, given, fault):
    (run_folder / "folder.CSV").mkdir()
    with pytest.raises(ConfigError) as caught:
        run_of(f"data: {{groups: {given}}}")
    text = fault.format(folder=run_folder)
    assert str(caught.value) == f"run.yaml, line 1, data.groups: given {text}; {ALLOWED}"


@pytest.mark.parametrize("given", ["true", "5", "[a]"])
def test_groups_of_another_kind(run_of, given):
    with pytest.raises(ConfigError) as caught:
        run_of(f"data: {{groups: {given}}}")
    assert "data.groups: given" in str(caught.value)
    assert str(caught.value).endswith("allowed: a string, false, or null")


def test_own_folds(run_of, run_folder):
    with pytest.raises(ConfigError) as caught:
        run_of("data:\n  splits: none.json\n  stratify: true\n")
    one, other = str(caught.value).splitlines()[1:]
    assert f"line 2, data.splits: given 'none.json'; no such file: {run_folder}/none.json;" in one
    assert "line 3, data.stratify: given true together with splits 'none.json'" in other
    with pytest.raises(ConfigError, match="its name does not end with"):
        run_of("data: {splits: splits.yaml}")


def test_files_are_absolute_and_patterns_are_not(run_of, run_folder):
    Path("mine.csv").touch()
    Path("own.json").touch()
    data = run_of("data: {groups: mine.csv, splits: own.json}").data
    assert (data.groups, data.splits) == (f"{run_folder}/mine.csv", f"{run_folder}/own.json")
    assert run_of("data: {groups: '(P.)', stratify: true}").data.groups == "(P.)"
    assert run_of("data: {groups: false}").data.groups is False


def test_folds_do_not_change_the_name_of_a_run(run_of):
    from nnunet_vit.nnunet.run_names import plans_name

    plain = "model: {backbone: 'timm:vit_tiny_patch16_224', pretrained: false}\n"
    assert plans_name(run_of(plain)) == plans_name(run_of(plain + "data: {groups: '(P.)'}"))
