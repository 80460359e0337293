"""Where published weights lie: on this machine, in the hub, or out of reach."""

import threading
import urllib.error
import urllib.request
from pathlib import Path

from nnunet_vit.backbones import family, is_timm
from nnunet_vit.errors import ModelError

WEIGHTS_FILE = "model.safetensors"
BY_HAND = (
    f"on a machine with a network fetch {WEIGHTS_FILE} of the hub's repository {{repository}}, "
    "copy it here and write its path in model.checkpoint_path (or model.pretrained: false for "
    "random weights)."
)
ANSWER_WITHIN = 4.0  # seconds; timm and the hub's client would retry for a minute


def require_published(backbone: str, size: str | None) -> None:
    """Refuse a family whose weights nobody may fetch for its users: they fetch them by hand.

    timm has another's weights under the same name, so this is no small thing.

    Raises:
        ConfigError: unknown family or size.
        ModelError: the family's weights are fetched by hand.
    """
    own = None if is_timm(backbone) else family(backbone)
    if own is not None and not own.fetched:
        raise ModelError(
            f"The weights of {backbone} are not fetched: {own.weights_of(size)}.",
            fix="write the file's path in model.checkpoint_path (or model.pretrained: false for "
            "random weights).",
        )


def published_weights(timm_name: str) -> Path:
    """Return the file of a timm model's published weights, fetched if it is not here yet.

    Raises:
        ModelError: there are none, or they are not here and the hub does not answer.
    """
    from huggingface_hub import hf_hub_download

    repository = require_reachable(timm_name)
    try:
        return Path(hf_hub_download(repository, WEIGHTS_FILE))
    except Exception as error:  # the client lets those of its own HTTP library through
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"The published weights {timm_name} cannot be fetched: {reason.rstrip('.')}.",
            fix=BY_HAND.format(repository=repository),
        ) from error


def require_reachable(timm_name: str) -> str:
    """Return the hub's repository of the weights, after a look whether they can be had at all.

    Raises:
        ModelError: they are not on this machine and the hub does not answer within seconds.
    """
    from huggingface_hub import try_to_load_from_cache

    repository = _repository(timm_name)
    cached = try_to_load_from_cache(repository, WEIGHTS_FILE)
    if not isinstance(cached, str) and not _hub_answers():
        raise ModelError(
            f"The published weights {timm_name} are not on this machine and the model hub does not "
            "answer.",
            fix=BY_HAND.format(repository=repository),
        )
    return repository


def _repository(timm_name: str) -> str:
    import timm

    settings = timm.get_pretrained_cfg(timm_name)
    if settings is None or not settings.hf_hub_id:
        raise ModelError(
            f"timm publishes no weights for {timm_name}.",
            fix="model.pretrained: false for random weights, or a file in model.checkpoint_path.",
        )
    return str(settings.hf_hub_id)


def _hub_answers() -> bool:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    answers: list[bool] = []
    # a timeout of urllib counts for each address of a host anew, and not for its name's look-up
    asking = threading.Thread(
        target=lambda: answers.append(_answers(constants.ENDPOINT)), daemon=True
    )
    asking.start()
    asking.join(ANSWER_WITHIN)
    return bool(answers and answers[0])


def _answers(address: str) -> bool:
    request = urllib.request.Request(address, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=ANSWER_WITHIN).close()
    except urllib.error.HTTPError:
        return True  # any answer at all
    except OSError:
        return False
    return True
