"""Long work outside a terminal: a line now and then; on one: a bar that asks how much is done."""

import io
import os
import sys
import time

import pytest

from nnunet_vit.report import work
from nnunet_vit.report.progress import ConsoleProgress

pytestmark = pytest.mark.unit


@pytest.fixture
def soon(monkeypatch):
    """A line every twentieth of a second instead of every half minute."""
    monkeypatch.setattr(work, "LINE_EVERY", 0.05)
    monkeypatch.setattr(work, "ASK_EVERY", 0.01)


@pytest.fixture
def stream():
    return io.StringIO()


def until(stream, text):
    for _ in range(500):
        if text in stream.getvalue():
            return
        time.sleep(0.01)
    pytest.fail(f"{text!r} does not come: {stream.getvalue()!r}")


def test_a_long_epoch_is_heard_of_every_half_minute(soon, stream):
    progress = ConsoleProgress(stream)
    progress.start_epoch(2, 50, 300)
    progress.advance(loss=0.5)
    until(stream, "epoch 3/50: step 1/300, loss 0.500, 0 s\n")
    progress.advance()
    until(stream, "epoch 3/50: step 2/300, validating, 0 s\n")
    progress.close()
    after = stream.getvalue()
    time.sleep(0.1)
    assert stream.getvalue() == after


def test_so_are_cases_and_work_of_unknown_length(soon, stream):
    progress = ConsoleProgress(stream)
    progress.start_cases("Predicting", 9)
    progress.case("")
    until(stream, "Predicting: 9 cases …\nPredicting: case 1/9, 0 s\n")
    progress.start_work("Planning Dataset005_Mine")
    until(stream, "Planning Dataset005_Mine: 0 s so far\n")
    progress.close()


def test_work_that_says_nothing_is_asked(soon, stream):
    done = [0]
    progress = ConsoleProgress(stream)
    progress.start_work("Preprocessing", 4, lambda: done[0])
    done[0] = 3
    until(stream, "Preprocessing: case 3/4, 0 s\n")
    progress.start_parts("Predicting a", 9, "tile", lambda: 5)
    until(stream, "Predicting a: tile 5/9, 0 s\n")
    progress.close()


def test_short_work_is_not_heard_of(stream):
    progress = ConsoleProgress(stream)
    progress.start_epoch(0, 1, 1)
    progress.advance(loss=0.5)
    progress.close()
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (90, "1 min 30 s"),
        (3725, "1 h 02 min"),
        (90000, "25 h 00 min"),
    ],
)
def test_how_long(seconds, text):
    assert work._duration(seconds) == text


@pytest.mark.parametrize("error", [None, OSError(5, "Input/output error"), OSError(28, "full")])
def test_a_stream_that_cannot_take_a_line_does_not_stop_the_work(error):
    class Stream(io.StringIO):
        def flush(self):
            if error:
                raise error

    ConsoleProgress(Stream()).log("a line")


def test_a_reader_that_is_gone_stops_the_work():
    class Gone(io.StringIO):
        def flush(self):
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        ConsoleProgress(Gone()).log("a line")


def test_a_warning_is_shown_once(stream):
    progress = ConsoleProgress(stream)
    progress.warn("a thing")
    progress.warn("another")
    progress.warn("a thing")
    assert stream.getvalue() == "Warning: a thing\nWarning: another\n"


@pytest.mark.skipif(sys.platform == "win32", reason="it has other terminals")
def test_a_bar_asks_how_much_is_done_and_goes_away(soon, monkeypatch):
    import pty

    for variable in ("COLUMNS", "TERM"):
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)
    main, side = pty.openpty()
    with open(side, "w", encoding="utf-8") as terminal:
        progress = ConsoleProgress(terminal)
        assert progress.console.width == 80  # of a terminal without a size
        asked = []
        progress.start_work("Preprocessing", 4, lambda: asked.append(1) or 3)
        while len(asked) < 2:
            time.sleep(0.01)
        progress.close()
        shown = ""
        while not shown.endswith("\x1b[1A\x1b[2K"):
            shown += os.read(main, 65536).decode()
    os.close(main)
    assert " 3/4" in shown


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Predicting with folds 0: 16 cases …", ["Predicting with folds 0: 16", "  cases …"]),
        ("in /a/very/long/path/that/is/longer: x", ["in", "  /a/very/long/path/that/is/longer:",
                                                    "  x"]),
        ("two\nlines", ["two", "lines"]),
    ],
)  # fmt: skip
def test_lines_are_broken_between_words_on_a_terminal_alone(monkeypatch, stream, text, lines):
    monkeypatch.setenv("COLUMNS", "30")
    ConsoleProgress(stream, live=True).log(text)
    assert stream.getvalue().splitlines() == lines
    stream.truncate(0)
    stream.seek(0)
    ConsoleProgress(stream).log(text)
    assert stream.getvalue() == f"{text}\n"
