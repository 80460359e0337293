"""Signals: what is saved, the command that resumes, exit codes, forked workers."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from nnunet_vit.errors import Stopped
from nnunet_vit.report import failure, stopping
from nnunet_vit.report.stopping import listening, stops_with

pytestmark = [
    pytest.mark.unit,
    pytest.mark.skipif(sys.platform == "win32", reason="its signals are others"),
]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


def until_interrupted():
    for _ in range(500):
        time.sleep(0.01)


@pytest.mark.parametrize("number", SIGNALS)
def test_each_signal_stops_the_work_and_says_what_is_saved(number):
    before = signal.getsignal(number)
    with listening(), pytest.raises(Stopped) as caught:
        with stops_with(lambda: Stopped("Epoch 3 of 5 is saved.", resumes=True)):
            os.kill(os.getpid(), number)
            until_interrupted()
        assert stopping.was_asked()
    assert signal.getsignal(number) is before
    text, code = failure.described(caught.value, ["train", "--config", "my run.yaml"])
    assert code == 128 + number
    assert text == (
        "Stopped. Epoch 3 of 5 is saved. Resume with: vit_cli train --config 'my run.yaml' "
        "--continue"
    )


@pytest.mark.parametrize(
    ("called", "words", "command"),
    [
        ("bin/vit_cli", ["train", "--overwrite", "-h"], "vit_cli train -h --continue"),
        ("vit_cli.py", ["train", "--continue"], "python vit_cli.py train --continue"),
        ("x/nnunet_vit/__main__.py", ["train", "--c"], "python -m nnunet_vit train --c"),
        ("nnUNetv2_train_vit", ["train", "5", "2d", "0"], "vit_cli train 5 2d 0 --continue"),
        (
            "bin/vit_cli",
            ["train", "--preprocess-again", "--update-data"],
            "vit_cli train --continue",
        ),
    ],
)
def test_the_command_that_resumes(monkeypatch, called, words, command):
    monkeypatch.setattr(sys, "argv", [called, "x"])
    text, _ = failure.described(Stopped("Saved.", resumes=True), words)
    assert text == f"Stopped. Saved. Resume with: {command}"


def test_nothing_to_resume():
    text, _ = failure.described(Stopped("2 of 3 masks are written."), ["predict"])
    assert text == "Stopped. 2 of 3 masks are written."


def test_a_signal_that_is_ignored_stays_ignored(monkeypatch):
    """As nohup starts a command."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with listening():
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.05)
            assert not stopping.was_asked()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_in_a_thread_there_are_no_handlers():
    seen = []

    def work():
        with listening():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)] == [signal.SIG_DFL]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are not forked here")
def test_a_forked_worker_is_ended_by_its_parent_and_does_not_see_the_interrupt_key():
    handlers = multiprocessing.get_context("fork").Queue()

    def work():
        handlers.put([int(signal.getsignal(number)) for number in SIGNALS])

    with listening():
        worker = multiprocessing.get_context("fork").Process(target=work)
        worker.start()
        worker.join()
    default, ignored = int(signal.SIG_DFL), int(signal.SIG_IGN)
    assert handlers.get() == [ignored, default, default]


IMPATIENT = """
import time
from nnunet_vit.report import stopping
stopping.SAME_REQUEST = 4.0  # longer than a busy machine takes between two signals
with stopping.listening():
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("stopping", flush=True)
        for _ in range(600):
            time.sleep(0.1)
"""


def test_a_second_signal_ends_at_once_and_an_echo_of_the_first_does_not():
    process = subprocess.Popen([sys.executable, "-c", IMPATIENT], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)  # `timeout` sends it to the process and to its group
    assert process.stdout.readline() == "stopping\n"
    time.sleep(4.2)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 143
    process.stdout.close()


WITH_A_POOL = """
import multiprocessing, sys, time
from nnunet_vit.errors import Stopped
from nnunet_vit.report import failure
from nnunet_vit.report.stopping import listening, stops_with

if __name__ == "__main__":
    with listening():
        try:
            with stops_with(lambda: Stopped("Nothing is saved.")):
                with multiprocessing.get_context("spawn").Pool(2) as pool:
                    pool.map(abs, range(2))  # both are there, and then wait for work
                    print("waits", flush=True)
                    time.sleep(60)
        except Stopped as stopped:
            text, code = failure.described(stopped, [])
            print(text, flush=True)
    sys.exit(code)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_with_workers_that_wait(tmp_path, number):
    script = tmp_path / "with_a_pool.py"
    script.write_text(WITH_A_POOL)
    process = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout.readline() == "waits\n"
    os.killpg(process.pid, number)
    try:
        said, _ = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (said, process.returncode) == ("Stopped. Nothing is saved.\n", 128 + number)
