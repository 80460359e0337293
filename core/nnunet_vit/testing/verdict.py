"""The contract run on an installed head, in a process of its own: a head may end it."""

import contextlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from nnunet_vit.errors import UserError
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.plugins import load_plugin
from nnunet_vit.testing.contract import HeadContract
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.process import environment, python_module
from nnunet_vit.testing.rules import RULES, Rule

END = "end"  # the process' last line: a head may end it before
LONGEST = 600  # characters of a reason


@dataclass(frozen=True)
class Result:
    """What became of one rule.

    Attributes:
        rule: its name.
        passed: whether the head keeps it.
        note: what was checked, or why the head breaks it and what to change.
        backbone: on which it is broken; empty where that does not matter.
    """

    rule: str
    passed: bool
    note: str
    backbone: str = ""


def in_own_process(head: str) -> Iterator[Result]:
    """Check an installed head in another interpreter; results come as they are there."""
    command = python_module(__name__, head)
    left = dict(RULES)
    ended = False
    shown = None if os.environ.get("NNUNET_VIT_DEBUG") else subprocess.DEVNULL
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=shown,
        text=True,
        encoding="utf-8",
        env=environment(),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == END:
                ended = True
                continue
            result = Result(**json.loads(line))
            left.pop(result.rule, None)
            yield result
    if left and not ended:
        first = next(iter(left))
        yield Result(first, False, f"The head's process ended with exit code {process.returncode}.")


def results(head: str) -> Iterator[Result]:
    """Check an installed head in this process, rule by rule.

    Raises:
        UserError: there is no such head, or several.
    """
    record = catalogue.find(catalogue.HEADS, head)
    try:
        load_plugin(record)
    except UserError as error:  # every rule would repeat it
        yield Result(next(iter(RULES)), False, str(error))
        return
    contract = type("Installed", (HeadContract,), {"head": head})()
    for rule in RULES.values():
        yield _result(contract, rule)


def _result(contract: HeadContract, rule: Rule) -> Result:
    notes = []
    for case in contract.cases(rule):
        try:
            notes.append(contract.check(rule, case))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a head may even call sys.exit
            return Result(rule.name, False, _reason(contract.head, error), str(case or ""))
    note = ", ".join(sorted(set(filter(None, notes))))
    return Result(rule.name, True, f"{rule.summary} ({note})" if note else rule.summary)


def _reason(head: str, error: BaseException) -> str:
    own = isinstance(error, ContractError | UserError)
    text = " ".join(str(error).split())
    told = text if own else f"{type(error).__name__}: {text.rstrip('.') or 'no message'}."
    frames = traceback.extract_tb((error.__cause__ or error).__traceback__)
    package = catalogue.find(catalogue.HEADS, head).entry_point.module.partition(".")[0]
    lines = [
        f"{Path(frame.filename).name}, line {frame.lineno}"
        for frame in frames
        if package in Path(frame.filename).with_suffix("").parts
    ]
    return f"{told[:LONGEST]} Raised in {lines[-1]}." if lines else told[:LONGEST]


def _main(head: str) -> None:
    import torch

    torch.set_num_threads(1)  # the networks are tiny: threads only wait for each other
    answers = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):  # what a head prints is no answer
        for result in results(head):
            print(json.dumps(asdict(result)), file=answers, flush=True)
    print(END, file=answers, flush=True)


if __name__ == "__main__":
    _main(sys.argv[1])
