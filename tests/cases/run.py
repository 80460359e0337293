"""Run a folder of inputs that once failed, each in a copy, and print a table of how each ends.

    python tests/cases/run.py CASES [--only WORD …]

CASES holds `data/`, `weights/` and `plugins/`: small folders with the inputs of public reports.
What each has to end with stands in `expected_data.py`, `expected_weights.py` and `expected_hub.py`.
The exit code is 1 where a case ends in another way or is not known.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from expectations import Case, Step
from expected_data import DATA
from expected_hub import HUB
from expected_weights import WEIGHTS

ROOT = Path(__file__).parents[2]
SECONDS = 400  # for one command
FORBIDDEN = re.compile(r"Traceback \(most recent call last\)|error\[bug\]|CRASH ")
VIT_CLI = f"{sys.executable} {ROOT / 'vit_cli.py'}"


def environment() -> dict[str, str]:
    """Return the variables of the commands: few workers, none of nnU-Net's folders."""
    clean = {k: v for k, v in os.environ.items() if not k.lower().startswith("nnunet")}
    own = [
        str(ROOT / "core"),
        *(str(file.parent) for file in (ROOT / "plugins").glob("*/pyproject.toml")),
    ]
    path = os.pathsep.join([*own, os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return clean | {
        "PYTHONPATH": path,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "nnUNet_def_n_proc": "1",
        "nnUNet_n_proc_DA": "1",
        "TERM": "xterm",
    }


def run(step: Step, folder: Path, variables: dict[str, str]) -> str:
    """Run one command in a folder; return what is wrong with its end, or nothing."""
    command = re.sub(r"\bvit_cli\b", VIT_CLI, step.command)
    try:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment() | variables,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return f"no end within {SECONDS} s"
    text = done.stdout + done.stderr
    wrong = []
    if done.returncode != step.code:
        wrong.append(f"exit code {done.returncode}, expected {step.code}")
    wrong += [f"does not say /{words}/" for words in step.says if not re.search(words, text, re.S)]
    wrong += [f"says /{words}/" for words in step.never if re.search(words, text, re.S)]
    wrong += [f"{name} is not there" for name in step.there if not list(folder.glob(name))]
    wrong += [f"{name} is there" for name in step.absent if list(folder.glob(name))]
    if FORBIDDEN.search(text):
        wrong.append("a traceback, a crash or error[bug]")
    if wrong and "-v" in sys.argv:
        print(f"--- {step.command}\n{text.strip()}\n---")
    return "; ".join(wrong)


def outcome(case: Case, source: Path, work: Path, variables: dict[str, str]) -> str:
    """Run all commands of a case in a copy of its folder; return what is wrong, or nothing."""
    folder = work / source.name
    shutil.copytree(source, folder, symlinks=True)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
    found = [run(step, folder, variables) for step in case.steps]
    shutil.rmtree(folder)
    return "; ".join(f"({n}) {text}" for n, text in enumerate(found, 1) if text)


def prepared(cases: Path, work: Path) -> dict[str, str]:
    """Train the models that prediction cases need; write what all weight cases share."""
    base = work / "base"
    shutil.copytree(cases / "data" / "_base", base)
    train = Step("vit_cli train 800 2d 0 --config run.yaml --device cpu", says=("Model: ",))
    problem = run(train, base, {})
    if problem:
        raise SystemExit(f"the sound dataset cannot be trained on: {problem}")
    (model,) = base.glob("res/*/nnUNetTrainer_vit__*")
    shutil.copytree(cases / "weights", work / "weights" / "weights")
    shutil.copytree(cases / "plugins", work / "plugins")
    (work / "run").mkdir()
    shutil.copy(cases / "weights" / "_lib.py", work / "run" / "_lib.py")
    shutil.copy(cases / "hub.sh", work / "weights" / "hub.sh")
    for path in work.rglob("*"):
        path.chmod(path.stat().st_mode | 0o200)
    subprocess.run([sys.executable, "make.py"], cwd=work / "plugins", check=True)
    return {
        "MODEL": str(model),
        "HUB": str(work / "weights" / "hub.sh"),
        "PLUGINS": str(work / "plugins"),
    }


def main() -> int:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("cases", type=Path)
    parser.add_argument("--only", nargs="*", default=[""], help="parts of names")
    parser.add_argument("-v", action="store_true", help="print the output of what ends otherwise")
    asked = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        variables = prepared(asked.cases.resolve(), work)
        for case, source in listed(asked.cases.resolve(), work):
            if not any(word in case.name for word in asked.only):
                continue
            if not case.steps:
                problem = "unknown: no expectation is written for it"
            else:
                problem = outcome(case, source, work / "run", variables)
            failed += bool(problem)
            print(
                f"{'FAIL' if problem else 'ok':5}{case.name:32}{problem or case.ends}", flush=True
            )
    print(f"{failed} of the cases end otherwise" if failed else "all cases end as they should")
    return int(bool(failed))


def listed(cases: Path, work: Path) -> list[tuple[Case, Path]]:
    """Return every folder of cases with what it has to end with."""
    found = []
    known = {case.name: case for case in (*DATA, *WEIGHTS, *HUB)}
    for kind in ("data", "weights"):
        for folder in sorted((cases / kind).iterdir()):
            if folder.is_dir():
                source = folder if kind == "data" else work / "weights" / "weights" / folder.name
                found.append((known.pop(folder.name, Case(folder.name, "", ())), source))
    return found


if __name__ == "__main__":
    sys.exit(main())
