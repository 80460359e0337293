"""What a training says of the plan that it takes, and which kept one it takes."""

from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.planning.kept_plans import KeptPlan
from nnunet_vit.planning.memory_limit import MemoryLimit
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress


@dataclass(frozen=True)
class PlanLines:
    """Lines on a training's plan.

    Attributes:
        progress: where they are shown.
    """

    progress: Progress

    def takes(self, plan: KeptPlan, limit: MemoryLimit, *, trains: bool, fresh: bool) -> bool:
        """Tell whether a plan that has no results is taken, and say so where it is not.

        Args:
            plan: for the data as they are.
            limit: the memory of the device that trains.
            trains: whether the training follows.
            fresh: whether a fold that was started at the same time has made the plan just now;
                the memory that is free may have become less since.
        """
        memory = plan.memory
        if not trains or memory is None:
            return True
        if memory.is_of(limit) and (fresh or memory.step <= limit.usable):
            return True
        self.progress.log(
            f"No fold was trained by the plan for {memory.device}, whose step takes "
            f"{bytes_text(memory.step)}; on {limit.name} it may take {bytes_text(limit.usable)}: "
            "it is planned again."
        )
        return False

    def new(self, plan: KeptPlan, path: Path | None, device: str) -> None:
        """Say a plan with its reasons.

        Args:
            plan: made now.
            path: of the file that keeps it; None: none does.
            device: that it was made for.
        """
        log, memory = self.progress.log, plan.memory
        if memory is not None:
            step, usable = bytes_text(memory.step), bytes_text(memory.usable)
            log(f"Planned for {device}: a step takes {step} of {usable}.")
        for value in plan.values:
            log(f"  {value.key} {value.text}: {value.reason}")
        if path is not None:
            log(
                f"The run keeps this plan, in {path}; until a fold is trained, deleting that file "
                "plans again. Trained folds stay with their plan, and later ones take it from them."
            )

    def kept(
        self, plan: KeptPlan, path: Path, limit: MemoryLimit, results: Path | None = None
    ) -> None:
        """Say that a plan of before is taken, and warn where its step is too large.

        Args:
            plan: that is taken.
            path: of the file that keeps it.
            limit: the memory of the device that trains.
            results: nnU-Net's folder of the run's models; None: there is none.
        """
        memory = plan.memory
        where = f" for {memory.device}, {bytes_text(memory.usable)} for a step" if memory else ""
        moved = f"move {results} away and " if results else ""
        self.progress.log_once(
            f"As planned before{where}: {plan.text}. To plan again, {moved}delete {path}."
        )
        if memory is not None and memory.step > limit.usable:
            self.progress.warn(
                f"that plan's step takes {bytes_text(memory.step)}; on {limit.name} it may take "
                f"{bytes_text(limit.usable)}."
            )

    def restored(self, plan: KeptPlan, results: Path) -> None:
        """Say that a plan is taken from the results of folds that are trained."""
        self.progress.log_once(
            f"As planned for the trained folds in {results}: {plan.text}. "
            "Beside the preprocessed data no such plan was kept."
        )
