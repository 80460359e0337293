"""The probe of a planned run: how fast it trains here, and whether its memory is as predicted."""

from dataclasses import dataclass
from time import perf_counter

import torch

from nnunet_vit.files.machine_memory import bytes_available
from nnunet_vit.files.processors import usable_processors
from nnunet_vit.modeling.runtime.devices import device_kind
from nnunet_vit.nnunet.folders import is_chosen
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.meter import Step
from nnunet_vit.planning.pace import Pace, Probed, Turn
from nnunet_vit.profiling.measured_run import Measured
from nnunet_vit.quantities import bytes_text
from nnunet_vit.training.probing.end_of_epoch import seconds_of_checkpoint, seconds_of_picture
from nnunet_vit.training.probing.final_validation import cases_of_validation, tiles_of_validation
from nnunet_vit.training.probing.loader_speed import LoaderSeconds, measured_loading
from nnunet_vit.training.probing.network_steps import NetworkSeconds, measured_steps
from nnunet_vit.training.worker_memory import (
    WORKERS,
    allowed_workers,
    room_for_workers,
    validation_workers,
)

EDGE = 1024  # of the matrices that tell how fast a processor is
EFFICIENCY = 0.4  # of it that a whole step reaches


@dataclass(frozen=True)
class Prober:
    """Tries runs on a device of this machine.

    Attributes:
        device: for torch: cpu, cuda, cuda:1 or mps; a GPU is the current one.
    """

    device: str

    def seconds_of(self, step: Step, precision: str) -> float:
        """Return about how long a training step will take here, by its operations alone."""
        kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
        matrix = torch.randn(EDGE, EDGE, device=self.device).to(kind)
        taken = []
        for _ in range(3):
            started = perf_counter()
            float((matrix @ matrix)[0, 0])
            taken.append(perf_counter() - started)
        return step.cost.step_flops * min(taken) / (2 * EDGE**3 * EFFICIENCY)

    def obstacle(self, step: Step) -> str:
        """Return why the step would end this process, or what it disturbs; nothing: it would not.

        A GPU that another program uses would say that the step does not fit, where it does.
        """
        if self.device.startswith("cuda"):
            free, where = int(torch.cuda.mem_get_info()[0]), "the GPU"
        else:
            free, where = bytes_available() or step.total + 1, "this machine"
        if step.total < free:
            return ""
        return f"a step takes {bytes_text(step.total)}, and {where} has {bytes_text(free)} free now"

    def __call__(
        self, measured: Measured, step: Step, size: DatasetSize, schemes: list[str]
    ) -> Probed:
        """Try a run: two training steps, a few of validation, and images through its loaders.

        Args:
            measured: the run.
            step: as it was measured without running.
            size: of the dataset.
            schemes: nnU-Net's normalization of each channel.

        Raises:
            UserError: the network cannot be built, or its head fails.
        """
        network = measured_steps(measured, step.tile, self.device)
        if isinstance(network, int):
            return Probed(None, network)
        loading = measured_loading(
            measured, step.tile, size, schemes=schemes, scales=network.scales, device=self.device
        )
        tiles = tiles_of_validation(measured.run, size, step.tile.size)
        training, validation = self._turns(network, loading, step.tile.batch)
        pace = Pace(
            training,
            validation,
            saving=seconds_of_checkpoint(step) / measured.run.train.save_every,
            tiles=tiles * network.tile,
            cases=cases_of_validation(measured.run, size),
            steps=network.steps,
            peak=network.peak,
            drawing=seconds_of_picture(),
        )
        return Probed(pace, network.peak)

    def _turns(
        self, network: NetworkSeconds, loading: LoaderSeconds, batch: int
    ) -> tuple[Turn, Turn]:
        workers = self._workers(loading)
        shared, processors = self.device == "cpu", usable_processors()
        training, validation = batch * loading.training, batch * loading.validation
        step = network.step + batch * loading.on_device
        fewer = validation_workers(workers)
        return (
            Turn(step, training, workers, processors, shared),
            Turn(network.validation, validation, fewer, processors, shared),
        )

    def _workers(self, loading: LoaderSeconds) -> int:
        """Return how many workers a training will have, by this machine's free memory."""
        wanted, free = allowed_workers(), bytes_available()
        if not wanted or free is None or not is_chosen(WORKERS):
            return wanted
        room = room_for_workers(free, device_kind(self.device))
        return loading.memory.most_workers(wanted, room)
