"""The verdict on an installed head, from a process of its own, and the verb that shows it."""

import json

import pytest

from nnunet_vit.testing.rules import RULES
from nnunet_vit.testing.verdict import Result, in_own_process, results

pytestmark = pytest.mark.unit

INIT = "            self.backbone = backbone\n"


@pytest.fixture
def one_rule(monkeypatch):
    """Leave one rule alone, in this process."""
    monkeypatch.setattr("nnunet_vit.testing.verdict.RULES", {"shapes": RULES["shapes"]})


@pytest.fixture
def answers(monkeypatch):
    """`answers(result, …)` lets check-head hear these."""

    def give(*given):
        monkeypatch.setattr("nnunet_vit.testing.verdict.in_own_process", lambda head: iter(given))

    return give


@pytest.fixture
def check_head(capsys):
    """`check_head("linear")` returns exit code, standard output, standard error."""

    def run(*words):
        from nnunet_vit.cli import main

        with pytest.raises(SystemExit) as stop:
            main(["check-head", *words])
        return (stop.value.code, *capsys.readouterr())

    return run


def test_the_first_backbone_that_fails_is_named(faulty, one_rule):
    faulty(('mode="bilinear")', 'mode="bilinear")[..., 1:]'))
    (result,) = results("faulty")
    assert (result.rule, result.passed, result.backbone) == ("shapes", False, "dinov3")
    assert result.note.startswith("images of (64, 96) pixels: logits of shape (2, 5, 64, 95); ")


def test_what_a_head_raises_is_told_with_its_line(faulty, one_rule):
    faulty((INIT, INIT + "            raise KeyError('weights')\n"))
    (result,) = results("faulty")
    assert result.note == (
        "Plugin 'faulty' (x-head 1.0): create_segmentation_model failed: KeyError: 'weights'. "
        "Fix: install what it misses, fix it, upgrade it or uninstall it. "
        "Raised in x_head_faulty_module.py, line 24."
    )


def test_a_head_that_stops_python_and_prints_is_a_failure(faulty):
    faulty((INIT, INIT + "            print('{', flush=True); import os; os._exit(7)\n"))
    found = list(in_own_process("faulty"))
    passed = ["imports", "requirements", "options"]
    assert [result.rule for result in found if result.passed] == passed
    assert found[-1] == Result("lower_bounds", False, "The head's process ended with exit code 7.")


def test_a_head_that_cannot_be_loaded_is_said_once(fake_head):
    fake_head("faulty", "class Plugin:\n    pass\n", attribute="Plugin")
    (result,) = in_own_process("faulty")
    assert result == Result(
        "imports",
        False,
        "Plugin 'faulty' (x-head 1.0): its entry point, x_head_faulty_module:Plugin, names a "
        "class. Fix: let it name the module, or an instance of the class.",
    )


def test_check_head_shows_a_line_per_rule(check_head, answers):
    answers(Result("imports", True, "light"), Result("alignment", False, "off. Fix: on.", "dinov2"))
    code, out, err = check_head("linear")
    assert code == 4
    assert out == (
        "head linear (nnunet-vit-linear 0.1.0)\n"
        "PASS  imports           light\n"
        "FAIL  alignment         on dinov2: off. Fix: on.\n"
    )
    assert err == (
        "error[plugin]: Head 'linear' breaks alignment. Fix: change what the lines above name; "
        "they are checked by nnunet_vit.testing.HeadContract.\n"
    )


def test_check_head_for_programs(check_head, answers):
    answers(Result("imports", True, "light"))
    code, out, err = check_head("linear", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "head": "linear",
        "distribution": "nnunet-vit-linear",
        "version": "0.1.0",
        "passed": True,
        "rules": [{"rule": "imports", "passed": True, "note": "light", "backbone": ""}],
    }


def test_a_head_that_keeps_it(check_head, answers):
    answers(Result("imports", True, "light"))
    code, out, err = check_head("linear")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "Head 'linear' keeps the contract: 1 of 1 rules."


def test_an_unknown_head(check_head):
    code, out, err = check_head("linera")
    assert (code, out) == (2, "")
    assert err.startswith("error[config]: Unknown head 'linera'. Did you mean 'linear'?")
