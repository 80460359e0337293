"""nnU-Net's exceptions and prints become one error, or warnings shown once."""

import errno
import sys
import tempfile
import threading
import types

import pytest

from nnunet_vit.errors import DataError, MachineError, NumericsError
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.report import stopping
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

LEAD = "nnU-Net cannot work"
FEWER = (
    "Fix: fewer workers (nnUNet_def_n_proc=1, nnUNet_n_proc_DA=1), smaller images, or a machine "
    "with more memory."
)


class Said(Progress):
    def __init__(self):
        self.lines = []

    def warn(self, text):
        self.lines.append(text)


@pytest.fixture(autouse=True)
def logs(tmp_path, monkeypatch):
    """The folder of logs, empty; nothing is debugged and no signal has come."""
    monkeypatch.delenv("NNUNET_VIT_DEBUG", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(stopping, "_received", None)
    return tmp_path


def in_package(package, function):
    """Return a function whose frame belongs to another package."""
    module = types.ModuleType(package)
    module.function = function
    exec("def call(*given): return function(*given)", vars(module))
    return module.call


def raising(error, said=""):
    def work():
        print(said)
        print("a worker's words", file=sys.stderr)
        raise error

    return work


def failure(work, package="nnunetv2.some.module"):
    with pytest.raises(Exception) as caught, captured(LEAD, Progress()):
        in_package(package, work)()
    return caught.value


def shown(error, logs):
    """The error's text without the log's name; the log has been kept."""
    (log,) = logs.iterdir()
    text = log.read_text()
    assert "a worker's words" in text and "Traceback (most recent call last)" in text
    assert str(error).endswith(f" Log: {log}")
    return str(error).removesuffix(f" Log: {log}")


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (AssertionError("the images are  no good\n"), "the images are no good."),
        (RuntimeError("no."), "no."),
        (IndexError("index 3 is out of bounds"), "IndexError: index 3 is out of bounds."),
        (KeyError("a"), "KeyError: 'a'."),
        (ZeroDivisionError(), "ZeroDivisionError."),
        (OSError("it is truncated"), "OSError: it is truncated."),
    ],
)
@pytest.mark.parametrize("package", ["nnunetv2", "batchgenerators.x", "acvl_utils.y"])
def test_what_nnunet_raises_is_an_error_of_the_data_with_the_log(logs, error, problem, package):
    found = failure(raising(error), package)
    assert type(found) is DataError
    assert shown(found, logs) == f"{LEAD}: {problem}"
    assert found.__cause__ is error


def test_an_error_without_foreground(logs):
    error = IndexError("index -1 is out of bounds for axis 0 with size 0")
    found = failure(
        raising(error), "nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor"
    )
    assert shown(found, logs) == (
        f"{LEAD}: no mask has a pixel of a foreground class. Fix: check that the masks hold the "
        "labels of dataset.json."
    )


def test_files_that_nnunet_names_are_in_the_message(logs):
    said = "Error: Unexpected labels found in file x/a.png.\nExpected: [0]\nFound: [0 7]"
    found = failure(raising(RuntimeError("Please check text output above"), said))
    assert type(found) is DataError
    assert shown(found, logs).startswith(f"{LEAD}: a.png: values 7, which are no labels; ")
    assert "Please check" not in str(found)


@pytest.mark.parametrize(
    ("error", "detail"),
    [(MemoryError(), "MemoryError"), (MemoryError("Unable to allocate 15 GiB"), "15 GiB")],
)
@pytest.mark.parametrize("package", ["nnunetv2", "nnunet_vit"])
def test_memory_that_ran_out_is_the_machines_fault(logs, error, detail, package):
    found = failure(raising(error), package)
    assert type(found) is MachineError
    assert f"{LEAD}: the memory ran out (" in str(found) and detail in str(found)
    assert shown(found, logs).endswith(FEWER)


def test_a_full_disk_is_the_machines_fault(logs):
    found = failure(raising(OSError(errno.ENOSPC, "No space left on device", "x/a.b2nd")))
    assert type(found) is MachineError
    assert "the disk is full" in shown(found, logs) and "x/a.b2nd" in str(found)


@pytest.mark.parametrize(
    "words",
    [
        "Some background worker is 6 feet under. Yuck.",
        "Background workers died. Look for the error message further up!",
        "One or more background workers are no longer alive. Exiting.",
        "Segmentation export worker died. It was likely killed by your OS",
        "Some background workers are no longer alive",
    ],
)
def test_a_killed_worker_is_likely_out_of_memory(logs, monkeypatch, words):
    monkeypatch.setattr("nnunet_vit.nnunet.capture.PATIENCE", 1)
    found = failure(raising(RuntimeError(words)))
    assert type(found) is MachineError
    assert shown(found, logs) == (
        f"{LEAD}: a worker process was killed, most likely because the memory ran out. {FEWER}"
    )


@pytest.mark.parametrize(
    ("last", "kind", "problem"),
    [
        ("ValueError: cannot read a.png", DataError, "cannot read a.png."),
        ("x.y._ArrayMemoryError: Unable to allocate 9 GiB", MachineError, "the memory ran out ("),
        ("OSError: [Errno 28] No space left on device", MachineError, "the disk is full ("),
    ],
)
def test_a_worker_that_failed_says_why_even_late(logs, last, kind, problem):
    def work():
        print("a worker's words", flush=True)
        stream = sys.stdout
        late = f"Traceback (most recent call last):\n{last}"
        threading.Timer(0.2, lambda: print(late, file=stream, flush=True)).start()
        raise RuntimeError("Background workers died")

    found = failure(work)
    assert type(found) is kind
    assert shown(found, logs).startswith(f"{LEAD}: {problem}")


def test_what_may_not_be_written_is_told_without_a_number(logs):
    found = failure(raising(PermissionError(13, "Permission denied", "masks/a.png")))
    assert type(found) is MachineError
    assert shown(found, logs).startswith(
        f"{LEAD}: Permission denied: 'masks/a.png'. Fix: allow this user to use it"
    )


@pytest.mark.parametrize("error", [KeyError("ours"), ValueError("ours"), NumericsError("inf")])
def test_errors_of_our_own_code_stay_what_they_are(logs, error):
    nnunet = in_package("nnunetv2", in_package("nnunet_vit_segformer.decoder", raising(error)))
    assert failure(nnunet, "nnunet_vit.training.run") is error
    assert list(logs.iterdir()) == []


def test_a_worker_that_a_signal_ended_is_no_error(monkeypatch):
    monkeypatch.setattr(stopping, "_received", (2, 0.0))
    with pytest.raises(KeyboardInterrupt), captured(LEAD, Progress()):
        in_package("nnunetv2", raising(RuntimeError("workers died")))()


def test_warnings_are_shown_and_the_log_is_gone(logs, capfd):
    said = Said()
    with captured(LEAD, said):
        print("WARNING: a thing\nmore\nWARNING: a thing")
    assert said.lines == ["a thing"]
    assert capfd.readouterr() == ("", "")
    assert list(logs.iterdir()) == []
