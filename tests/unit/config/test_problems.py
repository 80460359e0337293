"""How problems read: one line for one, a list for several."""

import pytest

from nnunet_vit.config.problems import Problem, path_text, problems_error, shown

pytestmark = pytest.mark.unit


def test_one_problem_is_one_line():
    error = problems_error("run.yaml", [Problem("model.backbone_size", 3, "given 'x'; allowed: y")])
    assert str(error) == "run.yaml, line 3, model.backbone_size: given 'x'; allowed: y"
    assert error.exit_code == 2


def test_several_problems_are_sorted_by_line_and_overrides_come_last():
    problems = [
        Problem("train.seed", None, "given -1", override="train.seed=-1"),
        Problem("train.warmup", 9, "given 'b'"),
        Problem("model", 2, "given 'a'"),
    ]
    assert str(problems_error("run.yaml", problems)) == (
        "run.yaml: 3 problems\n"
        "  line 2, model: given 'a'\n"
        "  line 9, train.warmup: given 'b'\n"
        "  --set train.seed=-1, train.seed: given -1"
    )


def test_what_has_no_line_names_the_path_alone():
    assert str(problems_error("run.yaml", [Problem("model.head", None, "x")])) == (
        "run.yaml, model.head: x"
    )


def test_a_long_list_is_cut():
    lines = str(
        problems_error("run.yaml", [Problem("a", n, "x") for n in range(1, 61)])
    ).splitlines()
    assert lines[0] == "run.yaml: 60 problems"
    assert lines[-2:] == ["  line 50, a: x", "  and 10 more"]


def test_control_characters_neither_colour_nor_fake_a_line():
    problem = Problem("a", 1, "given \x1b[31m\nrun.yaml: fine", override="a=\x1b")
    assert str(problems_error("run\n.yaml", [problem])) == (
        "run\\n.yaml, --set a=\\x1b, a: given \\x1b[31m\\nrun.yaml: fine"
    )


def test_a_text_has_an_end():
    assert len(str(problems_error("run.yaml", [Problem("a", 1, "x" * 5000)]))) < 1100


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        ("fast", "'fast'"),
        ("a\nb\x1b", "'a\\nb\\x1b'"),
        ([1, None], "[1, None]"),
        ("x" * 100, "'" + "x" * 58 + "…"),
    ],
)
def test_shown_values(value, text):
    assert shown(value) == text


def test_paths():
    assert path_text(("train", "patch_size", 0)) == "train.patch_size[0]"
    assert path_text(("model", "a\nb")) == "model.a\\nb"
    assert path_text(()) == ""
