"""What an installed head costs before it is used: checked in an interpreter of its own."""

import subprocess
import sys

from nnunet_vit.registry import catalogue
from nnunet_vit.registry.plugins import broken_reason
from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.process import environment, python_module

HEAVY = ("torch", "timm", "peft", "numpy", "scipy", "skimage", "nnunetv2", "transformers")
SECONDS = 120
FIX = (
    "at module level import nnunet_vit.hookspecs and pydantic alone; torch and the decoder inside "
    "create_segmentation_model, and for annotations under TYPE_CHECKING."
)


def check_imports(head: str) -> None:
    """Check that importing the head's module imports no heavy package and prints nothing."""
    command = python_module(__name__, head)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=SECONDS, env=environment()
    )
    reason = done.stdout.strip()
    if done.returncode or reason:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ContractError(
            reason or f"The import ended with exit code {done.returncode}: {last}", fix=FIX
        )


def check_requirements(head: str) -> None:
    """Check that the head's package has metadata and that what it requires is installed."""
    problem = catalogue.find(catalogue.HEADS, head).problem
    if problem:
        raise ContractError(problem, fix="install the package again, with what it needs.")


def reason_against(head: str) -> str:
    """Return why the head's module is no light one, or an empty text."""
    record = catalogue.find(catalogue.HEADS, head)
    before = set(sys.modules)
    problem = broken_reason(record)
    heavy = sorted(set(HEAVY) & (set(sys.modules) - before))
    if problem or not heavy:
        return problem
    return f"{record.entry_point.value} imports {', '.join(heavy)} at module level."


if __name__ == "__main__":
    print(reason_against(sys.argv[1]))
