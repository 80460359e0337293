"""Draws the same few validation cases now and then, so that people see what is being learned."""

from nnunet_vit.checkpoints.random_state import random_numbers_kept
from nnunet_vit.errors import message_of
from nnunet_vit.training.callback import Training, TrainingCallback
from nnunet_vit.training.callbacks.ema import WeightAveraging
from nnunet_vit.training.callbacks.following import Following

FOLDER = "overlays"  # in the fold's folder
MOST = 4  # cases


class Pictures(TrainingCallback):
    """Writes overlays/CASE/epoch_00050.png every `train.overlay_every` epochs and after the last.

    Pictures cost a training nothing but time: what cannot be drawn is told once and left out.
    """

    order = 92  # after an epoch is saved and shown
    _fails = False

    def on_epoch_end(self, training: Training) -> None:
        """Draw, if it is the time."""
        every, epoch = training.run.train.overlay_every, training.current_epoch
        is_last = epoch == training.num_epochs and epoch >= every
        if not every or self._fails or not training.saves or (epoch % every and not is_last):
            return
        try:
            self._draw(training)
        except Exception as error:
            self._fails = True
            training.progress.warn(f"No pictures of validation cases: {message_of(error, 300)}")

    def _draw(self, training: Training) -> None:
        from skimage import io  # type: ignore[attr-defined]

        for case in fixed_cases(training.do_split()[1]):
            folder = training.fold_folder.path / FOLDER / case
            folder.mkdir(parents=True, exist_ok=True)
            file = folder / f"epoch_{training.current_epoch:05d}.png"
            averaging = training.callbacks.of(WeightAveraging)
            with random_numbers_kept(), averaging.in_network():
                picture = training.drawn_case(case)
            io.imsave(file, picture, check_contrast=False)
            training.callbacks.of(Following).show(training, case, file)


def fixed_cases(cases: list[str]) -> list[str]:
    """Return a few cases, spread evenly over all of them in their order, always the same."""
    ordered = sorted(cases)
    step = max(1, len(ordered) // MOST)
    return ordered[::step][:MOST]


CALLBACK = Pictures
