"""Says in the log what the network computes in, which `precision: auto` leaves to the machine."""

from nnunet_vit.modeling.runtime.precision import computes_in_bfloat16
from nnunet_vit.training.callback import Training, TrainingCallback


class PrecisionTold(TrainingCallback):
    """Tells it once, when a training starts or resumes."""

    order = 1

    def on_training_start(self, training: Training) -> None:
        """Write the line."""
        network, device = training.bare_network, training.device.type
        in_bfloat16 = computes_in_bfloat16(network.precision, device, network.cpu_bfloat16)
        kind = "bfloat16" if in_bfloat16 else "float32"
        training.print_to_log_file(f"Computes in {kind} on {device} ({network.precision}).")


CALLBACK = PrecisionTold
