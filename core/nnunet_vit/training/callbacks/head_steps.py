"""Tells the head before each step how far the training is."""

from nnunet_vit.training.callback import Training, TrainingCallback


class HeadSteps(TrainingCallback):
    """For heads that change while they are trained."""

    order = 10

    def on_step_start(self, training: Training) -> None:
        """Call the head's hook, if it has one."""
        model = training.bare_network.model
        training.head.on_training_step(model, training.lr_scheduler.progress)


CALLBACK = HeadSteps
