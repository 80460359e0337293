"""What a run leaves open is settled before it trains: by a plan, which is kept for its other folds.

A run's name holds its patch and batch size. So the plan of a given run stays the same from fold to
fold, for --continue, and on a machine with another GPU.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.preprocessing.read_cases import ReadCases
from nnunet_vit.errors import ConfigError, Stopped
from nnunet_vit.files.writable import check_writable
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.folders import VARIABLES, alone_in, folder
from nnunet_vit.planning.kept_plans import KeptPlan, file_of, keep, kept_plans
from nnunet_vit.planning.memory_limit import limit_here
from nnunet_vit.planning.open_keys import SIZE, GivenRun
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with
from nnunet_vit.training.fold_preparation import LENGTHENS, Request, check_data
from nnunet_vit.training.preflight import check_network, require_weights
from nnunet_vit.training.run_identity import identity_of

NOT_SAVED = "Nothing of this run is saved yet: the same command starts from scratch."


def settled(
    run: ViTnnUNetConfig,
    request: Request,
    progress: Progress,
    *,
    devices: Sequence[str] = (),
    trains: bool = True,
) -> tuple[ViTnnUNetConfig, Request]:
    """Return the run with patch and batch size, and what is left of the request.

    Args:
        run: as `opened` yields it.
        request: how it is to be trained; what its `given` leaves open is planned.
        progress: where to show what happens.
        devices: one for each fold that is trained at the same time; none: the request's.
        trains: whether the training follows: then its weights have to be within reach, and its
            network is built with them before anything is planned, unless its size is open.

    Raises:
        ConfigError: nothing fits the device's memory, or there is nothing to continue.
        UserError: as of `prepare_fold`.
    """
    train = run.train
    if request.given is None or (train.patch_size is not None and train.batch_size is not None):
        return run, request
    return _Settling(run, request.given, request, progress).settle(devices, trains)


@dataclass(frozen=True)
class _Settling:
    """A run on its way to its plan."""

    run: ViTnnUNetConfig
    given: GivenRun
    request: Request
    progress: Progress

    def settle(self, devices: Sequence[str], trains: bool) -> tuple[ViTnnUNetConfig, Request]:
        dataset = find_dataset(self.run.data.dataset)
        begun = self._results(dataset, self.run)
        if begun.is_dir():
            self.progress.log_once(
                f"{begun.name} was begun with nnU-Net's patch and batch size, which it keeps."
            )
            return self.run, self.request
        path = file_of(dataset.preprocessed, self.run, self.given.open_keys())
        there = devices or [choose_device(self.request.device)]
        for plan in reversed(kept_plans(path)):
            planned = self._with(plan)
            if self._results(dataset, planned).is_dir():
                self._say_kept(plan, path, there)
                return planned, self.request
        if self.request.resume:
            raise ConfigError(
                f"--continue: there is no result of this run in {begun.parent}, nor a plan of it.",
                fix="leave out --continue, or give the run.yaml of the fold's folder: --config.",
            )
        with stops_with(lambda: Stopped(NOT_SAVED)):
            return self._planned(dataset, path, there, trains=trains)

    def _planned(
        self, dataset: Dataset, path: Path, devices: Sequence[str], *, trains: bool
    ) -> tuple[ViTnnUNetConfig, Request]:
        """Return the run with the plan for the dataset as it is, kept before or made now."""
        from nnunet_vit.planning.meter import UnmeasurableError
        from nnunet_vit.planning.plan_run import plan_for, sizes_of

        request, progress = self.request, self.progress
        for key in ("results", "preprocessed") if trains else ("preprocessed",):
            place = folder(key) / dataset.name
            check_writable(place, f"{VARIABLES[key]} (or paths.{key}): {place}")
        work, _ = check_data(dataset, self.run, request.asked, progress=progress, later=())
        builds = trains and SIZE not in self.given.open_keys()
        if trains:
            require_weights(self.run)
        check_network(dataset, self.run, builds, progress=progress, schemes=work.schemes)
        read = ReadCases(work.files, fingerprints=work.plan) if trains and work.preprocess else None
        schemes, size = sizes_of(self.run, dataset, progress, asked=request.asked, read=read)
        asked = replace(request.asked, again=False)  # nnU-Net has planned
        tried = self.run if builds else None
        left = replace(request, asked=asked, tried=tried, read=read)
        with alone_in(dataset.preprocessed, progress.log):
            plan = next((each for each in kept_plans(path) if each.size == size), None)
            if plan is not None:
                self._say_kept(plan, path, devices)
                return self._with(plan), left
            limit = limit_here(devices)
            try:
                made = plan_for(self.given, dataset, schemes, size=size, limit=limit,
                                progress=progress)  # fmt: skip
            except UnmeasurableError as error:
                progress.warn(f"{error.problem} It gets nnU-Net's patch and batch size.")
                return self.run, left
            plan = KeptPlan.of(made)
            keep(path, plan)
            self._say_new(plan, path, limit.name)
            return self._with(plan), left

    def _with(self, plan: KeptPlan) -> ViTnnUNetConfig:
        planned = self.given.with_words([value.word for value in plan.values]).variant({})
        return planned.run.model_copy(update={"data": self.run.data, "paths": self.run.paths})

    def _results(self, dataset: Dataset, run: ViTnnUNetConfig) -> Path:
        request = self.request
        lengthens = request.lengthens or request.resume or LENGTHENS in os.environ
        return identity_of(dataset, run, lengthens=lengthens).folder

    def _say_new(self, plan: KeptPlan, path: Path, device: str) -> None:
        log = self.progress.log
        log(f"Planned for {device}: a step takes {bytes_text(plan.step)} of "
            f"{bytes_text(plan.usable)}.")  # fmt: skip
        for value in plan.values:
            log(f"  {value.key} {value.text}: {value.reason}")
        log(f"The run keeps this plan, in {path}; delete that file to plan again.")

    def _say_kept(self, plan: KeptPlan, path: Path, devices: Sequence[str]) -> None:
        values = ", ".join(f"{each.key.split('.')[-1]} {each.text}" for each in plan.values)
        self.progress.log_once(
            f"As planned before for {plan.device}, {bytes_text(plan.usable)} for a step: {values}. "
            f"Delete {path} to plan again."
        )
        limit = limit_here(devices)
        if plan.step > limit.usable:
            self.progress.warn(
                f"that plan's step takes {bytes_text(plan.step)}; on {limit.name} it may take "
                f"{bytes_text(limit.usable)}."
            )
