"""What bounds a step: the network, its batches, or both where they share the processors."""

import pytest

from nnunet_vit.planning.pace import Turn

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("network", "batch", "workers", "shared", "seconds", "by_data"),
    [
        (1.0, 2.0, 4, False, 1.0, False),  # a batch every 0.5 s
        (0.2, 2.0, 4, False, 0.5, True),
        (0.2, 2.0, 100, False, 0.25, True),  # 8 processors run no more workers than 8
        (1.0, 2.0, 4, True, 1.25, False),  # an eighth of the batch's work delays the network
        (0.1, 2.0, 1, True, 2.0, True),
        (1.0, 2.0, 0, True, 3.0, False),  # no workers: one after the other
    ],
)
def test_a_step(network, batch, workers, shared, seconds, by_data):
    turn = Turn(network, batch, workers, 8, shared)
    assert turn.seconds == pytest.approx(seconds)
    assert turn.bound_by_data is by_data
