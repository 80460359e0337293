"""What libraries print goes to a log by file descriptor, and everything is put back."""

import io
import os
import subprocess
import sys
import tempfile
import threading

import pytest

from nnunet_vit.report import streams
from nnunet_vit.report.quiet import quiet_libraries
from nnunet_vit.report.streams import display, diverted

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    """The folder of logs, empty; nothing is debugged."""
    monkeypatch.delenv("NNUNET_VIT_DEBUG", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def print_everywhere():
    print("Python")
    print("an error", file=sys.stderr)
    os.write(1, b"C\n")
    os.write(2, b"C error\n")
    subprocess.run("echo child; echo child error >&2", shell=True, check=True)


def test_nothing_breaks_through(capfd, logs):
    with quiet_libraries() as progress:
        print_everywhere()
        progress.log("ours")
    print("after")
    assert capfd.readouterr() == ("ours\nafter\n", "")
    assert list(logs.iterdir()) == []


def test_the_log_has_it_all_in_order(capfd):
    with diverted() as log:
        print("before")
        start = log.position()
        print_everywhere()
        said = log.since(start)
    assert said == "Python\nan error\nC\nC error\nchild\nchild error\n"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "error", [KeyError("x"), KeyboardInterrupt(), SystemExit(3)], ids=lambda error: repr(error)
)
def test_everything_is_put_back(capfd, error):
    before = sys.stdout, sys.stderr, dict(os.environ)
    with pytest.raises(type(error)), quiet_libraries():
        sys.stdout = io.StringIO()  # a library that fails halfway leaves its own behind
        raise error
    assert (sys.stdout, sys.stderr, dict(os.environ)) == before
    print("after")
    os.write(2, b"and C\n")
    assert capfd.readouterr() == ("after\n", "and C\n")


def test_the_log_of_an_error_that_nobody_expected_is_kept(logs):
    with pytest.raises(KeyError) as caught, quiet_libraries():
        print("a library's last words")
        raise KeyError
    (log,) = logs.iterdir()
    assert caught.value.log == f"Log: {log}"
    text = log.read_text()
    assert text.startswith("a library's last words\nTraceback (most recent call last):")


def test_a_notebooks_stream_has_no_descriptor(monkeypatch, capfd):
    class Notebook(io.StringIO):
        def fileno(self):
            raise io.UnsupportedOperation("fileno")

    cell = Notebook()
    monkeypatch.setattr(sys, "stdout", cell)
    with quiet_libraries() as progress:
        print_everywhere()
        progress.log("ours")
        progress.start_cases("Predicting", 1)
        progress.case("a")
    assert sys.stdout is cell
    print("after")
    assert cell.getvalue() == "ours\nPredicting: 1 case …\nafter\n"
    assert capfd.readouterr() == ("", "")


def test_a_closed_standard_output(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with quiet_libraries() as progress:
        progress.log("nobody reads it")
        print("nor this")
    assert sys.stdout is None
    assert display().name == os.devnull


def test_in_a_thread(capfd):
    def work():
        with quiet_libraries() as progress:
            print_everywhere()
            progress.log("ours")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert capfd.readouterr() == ("ours\n", "")


def test_a_log_that_somebody_deletes_is_still_read():
    with diverted() as log:
        log.path.unlink()
        start = log.position()
        print("still here")
        assert log.since(start) == "still here\n"


def test_a_temporary_folder_that_takes_nothing(monkeypatch, capfd, tmp_path):
    with monkeypatch.context() as patched:
        patched.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
        with diverted() as log:
            print("lost")
            assert (log.since(log.position()), log.keep()) == ("", "")
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no device that is full")
def test_a_log_whose_disk_is_full_does_not_stop_the_work():
    stream = io.TextIOWrapper(
        io.BufferedWriter(streams._LogFile("/dev/full", "w")), line_buffering=True
    )
    print("a library's line", file=stream)
    stream.close()


def test_debug_shows_it_all(capfd, monkeypatch, logs):
    monkeypatch.setenv("NNUNET_VIT_DEBUG", "1")
    with quiet_libraries() as progress, diverted() as log:
        print("a library's line")
        progress.log("ours")
        assert log.since(log.position()) == log.keep() == ""
    assert capfd.readouterr().out == "a library's line\nours\n"
    assert list(logs.iterdir()) == []


STANDARD = """
import os, sys
from nnunet_vit.report.streams import open_missing
open_missing()
print(os.fstat(0).st_rdev == os.stat(os.devnull).st_rdev, os.open(__file__, os.O_RDONLY) > 2)
"""


def test_what_was_closed_before_the_start_is_opened(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(STANDARD)
    done = subprocess.run(
        f'"{sys.executable}" "{script}" <&- 2>&-', shell=True, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True True\n", "")
