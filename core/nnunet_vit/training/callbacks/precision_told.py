"""Says in the log what the network computes in, which `precision: auto` leaves to the machine."""

from nnunet_vit.modeling.runtime.precision import in_bfloat16_on
from nnunet_vit.training.callback import Training, TrainingCallback


class PrecisionTold(TrainingCallback):
    """Tells it once, when a training starts or resumes."""

    order = 1

    def on_training_start(self, training: Training) -> None:
        """Write the line."""
        network, device = training.bare_network, training.device
        in_bfloat16 = in_bfloat16_on(device, network.precision, network.cpu_bfloat16)
        kind = "bfloat16" if in_bfloat16 else "float32"
        training.print_to_log_file(f"Computes in {kind} on {device.type} ({network.precision}).")


CALLBACK = PrecisionTold
