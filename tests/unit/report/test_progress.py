"""Progress where there is no terminal: the lines that stay, and nothing that moves."""

import io
import re

import pytest

from nnunet_vit.report.progress import ConsoleProgress, EpochFigures, EpochSeconds, Progress
from nnunet_vit.report.quiet import quiet_libraries
from nnunet_vit.report.step_seconds import StepSeconds

pytestmark = pytest.mark.unit


def epoch_figures(training_loss, validation_loss, dice):
    seconds = EpochSeconds(12.5, StepSeconds(1.25, 1, 3, 3.5, 0.5, steps=4), 3)
    return EpochFigures(training_loss, validation_loss, dice, 0.5, 0.5, 0.001, seconds)


def one_run(progress):
    progress.log("Planning [bold]Dataset[/bold] …")
    progress.start_epoch(0, 10, 3)
    progress.advance(loss=0.5)
    progress.advance()
    dice = {"disc": 0.5, "vessel": float("nan")}
    progress.end_epoch(0, 10, epoch_figures(-0.25, 0.125, dice))
    progress.end_epoch(1, 10, epoch_figures(-0.25, 0.125, dice))
    progress.start_cases("Predicting", 2)
    progress.case("a")
    progress.case("b")
    progress.close()
    progress.close()


def test_the_lines_that_stay():
    stream = io.StringIO()
    one_run(ConsoleProgress(stream))
    text = re.sub(r"done at .*\d\d:\d\d\n", "done at TIME\n", stream.getvalue())
    figures = (
        "train loss -0.250  validation loss +0.125  pseudo Dice disc 0.500, vessel nan  "
        "rate 1.0e-03  12.5 s (data 1.2, steps 8.0, validation 3.0)  done at TIME"
    )
    assert text == (
        "Planning [bold]Dataset[/bold] …\n"
        f"epoch  1/10  {figures}\n"
        "A pseudo Dice of nan: its class was in none of the epoch's validation patches and "
        "predicted in none; with more train.num_val_iterations_per_epoch it is seen.\n"
        f"epoch  2/10  {figures}\n"
        "Predicting: 2 cases …\n"
    )


def test_parts_of_the_work_are_named():
    stream = io.StringIO()
    progress = ConsoleProgress(stream)
    progress.begin_part("fold 2", 1, 2)
    progress.start_epoch(0, 1, 1)
    progress.end_epoch(0, 1, epoch_figures(0.5, 0.5, {"disc": 0.5}))
    progress.begin_part("", 0, 1)
    progress.start_epoch(0, 1, 1)
    progress.end_epoch(0, 1, epoch_figures(0.5, 0.5, {"disc": 0.5}))
    first, second, third = stream.getvalue().splitlines()
    assert first == "Fold 2, 2 of 2:"
    assert second.startswith("fold 2  epoch 1/1  train loss")
    assert third.startswith("epoch 1/1  train loss")


def test_a_long_line_is_not_broken():
    stream = io.StringIO()
    ConsoleProgress(stream).log("x" * 500)
    assert stream.getvalue() == "x" * 500 + "\n"


def test_stock_nnunet_gets_nothing_from_us(capsys):
    one_run(Progress())
    assert capsys.readouterr() == ("", "")


def test_the_console_says_something_to_every_word():
    words = {name for name in vars(Progress) if not name.startswith("_")}
    assert words <= set(vars(ConsoleProgress))


def test_what_libraries_print_is_put_aside(capsys, monkeypatch):
    monkeypatch.delenv("NNUNET_VIT_DEBUG", raising=False)
    with quiet_libraries() as progress:
        print("a library's line")
        progress.log("ours")
    print("after")
    assert capsys.readouterr().out == "ours\nafter\n"


def test_debug_shows_it_all(capsys, monkeypatch):
    monkeypatch.setenv("NNUNET_VIT_DEBUG", "1")
    with quiet_libraries() as progress:
        print("a library's line")
        progress.log("ours")
    assert capsys.readouterr().out == "a library's line\nours\n"


def test_an_error_puts_the_output_back(capsys, monkeypatch):
    monkeypatch.delenv("NNUNET_VIT_DEBUG", raising=False)
    with pytest.raises(KeyError), quiet_libraries():
        raise KeyError
    print("after")
    assert capsys.readouterr().out == "after\n"
