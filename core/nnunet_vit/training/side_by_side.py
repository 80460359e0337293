"""Folds trained at the same time, each by a command of its own, on one device or several."""

import os
import queue
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_vit.config.dump import write_run
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import MachineError, UserError
from nnunet_vit.files.processors import usable_processors
from nnunet_vit.nnunet.folders import WORKERS, choose_workers, usual_workers
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import FOLLOWS
from nnunet_vit.training.fold_preparation import LENGTHENS
from nnunet_vit.training.worker_memory import SHARING

PATIENCE = 60.0  # seconds for a command to save what it has when it is stopped
EPOCH = re.compile(r"epoch +\d+/\d+  ")
STOPPED = 130  # the exit code of a training that a file `stop` has stopped
NOT_REPEATED = ("Model: ", "Predict with: ")
# what a folder holds where the command is given must not stand in for modules of Python's own
PROGRAM = "import sys; sys.path[:] = {path!r}; from nnunet_vit.cli import main; main()"
ERROR = re.compile(r"error\[(?P<kind>\w+)\]: (?P<problem>.*?)(?: Fix: (?P<fix>.*))?", re.DOTALL)


@dataclass
class Commands:
    """The commands that train folds.

    Attributes:
        runs: of one fold each, by fold.
        devices: one for each command that runs at the same time.
        resumed: the folds that have begun.
        progress: where to show what they print.
        probabilities: their validations write them beside the masks.
        epochs: how many epochs they have finished, together.
        running: those that have been started.
        stopping: whether no more may start.
        guard: of the two.
    """

    runs: Mapping[int, ViTnnUNetConfig]
    devices: Sequence[str]
    resumed: Sequence[int]
    progress: Progress
    probabilities: bool = False
    epochs: int = 0
    running: list["subprocess.Popen[str]"] = field(default_factory=list)
    stopping: bool = False
    guard: threading.Lock = field(default_factory=threading.Lock)

    def run(self, total: int) -> None:
        """Train all folds; wait for the others where one fails.

        Args:
            total: epochs of all folds.

        Raises:
            UserError: that of the first fold that failed; the message names all of them.
        """
        free: queue.SimpleQueue[str] = queue.SimpleQueue()
        for device in self.devices:
            free.put(device)
        names = " ".join(map(str, self.runs))
        self.progress.start_epochs(f"Training folds {names}", total, lambda: self.epochs)
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(len(self.devices)) as pool:
            waiting = {
                fold: pool.submit(self._train, fold, Path(folder), free) for fold in self.runs
            }
            try:
                errors = {fold: each.result() for fold, each in waiting.items()}
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                self._stop()
                raise
            finally:
                self.progress.close()
        failed = {fold: error for fold, error in errors.items() if error is not None}
        if failed:
            raise _together(failed)

    def _train(self, fold: int, folder: Path, free: "queue.SimpleQueue[str]") -> UserError | None:
        device = free.get()
        try:
            if self.stopping:
                return None
            file = folder / f"fold_{fold}.yaml"
            write_run(self.runs[fold], file)
            words = ["train", "--config", str(file), "--device", device]
            words += ["--continue"] * (fold in self.resumed)
            return self._follow(fold, [*words, *["--probabilities"] * self.probabilities])
        finally:
            free.put(device)

    def _follow(self, fold: int, words: Sequence[str]) -> UserError | None:
        """Start a command, show its lines, and return the error that it ended with."""
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM.format(path=sys.path), *words],
            stdin=subprocess.PIPE,  # closed when this process is gone, however it ended
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_environment(len(self.devices), bool(self.resumed)),
            start_new_session=True,  # a key of the terminal stops this process, which stops them
        )
        with self.guard:  # a command that starts while all are stopped is stopped too
            self.running.append(process)
            if self.stopping:
                process.terminate()
        assert process.stdout is not None and process.stderr is not None
        with ThreadPoolExecutor(1) as reader:
            told = reader.submit(process.stderr.read)
            for line in process.stdout:
                self.epochs += EPOCH.match(line) is not None
                if not line.startswith(NOT_REPEATED):
                    self.progress.log(f"fold {fold}  {line.rstrip()}")
            code, text = process.wait(), told.result().strip()
        return _error_of(code, text) if code else None

    def _stop(self) -> None:
        with self.guard:
            self.stopping, begun = True, list(self.running)
        for process in begun:
            process.terminate()
        for process in begun:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def _environment(commands: int, lengthens: bool) -> dict[str, str]:
    """Return the variables of one of several commands: its share of the processors."""
    processors = usable_processors()
    found = dict(os.environ)
    found.setdefault("OMP_NUM_THREADS", str(max(1, processors // commands)))
    for variable in WORKERS:
        if found.get(variable) == str(usual_workers(variable)):
            choose_workers(found, variable, max(1, usual_workers(variable) // commands))
    more = {FOLLOWS: "1", SHARING: str(commands)}
    return found | more | ({LENGTHENS: "1"} if lengthens else {})


def _error_of(code: int, text: str) -> UserError:
    kinds = {kind.exit_code: kind for kind in UserError.__subclasses__()}
    if code == STOPPED:
        return MachineError("it was stopped after an epoch that is saved.", fix="--continue.")
    found = ERROR.fullmatch(text)
    if found is None or found["kind"] == "bug" or code not in kinds:
        return MachineError(
            f"its command ended with {code}: {text or 'it said nothing'}.",
            fix="--continue resumes it; fewer --jobs need less memory.",
        )
    return kinds[code](found["problem"], found["fix"] or "")


def _together(failed: Mapping[int, UserError]) -> UserError:
    """Return one error for several: of the first one's kind, with the problems of all."""
    first = next(iter(failed.values()))
    same = {error.problem: error for error in failed.values()}
    names = {problem: [f for f, e in failed.items() if e.problem == problem] for problem in same}
    problems = [f"Fold {', '.join(map(str, folds))}: {problem}" for problem, folds in names.items()]
    return type(first)(" ".join(problems), first.fix)
