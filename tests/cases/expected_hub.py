"""How the cases on the model hub end: `hub.sh MODE COMMAND` plays a hub that answers as MODE."""

from expectations import Case, Step

RUN = """cat > run.yaml <<'END'
data: {dataset: 901}
paths: {raw: raw, preprocessed: pre, results: res}
model: {head: linear, backbone: 'timm:vit_tiny_patch16_224'}
train: {num_epochs: 1, num_iterations_per_epoch: 1, num_val_iterations_per_epoch: 1,
        batch_size: 2, patch_size: [64, 64]}
END
[ -d raw ] || vit_cli sample-dataset raw --training-cases 5 --test-cases 1 --image-size 64
export HUB_WORK=$PWD/hub HUB_PORT=8793
"""
TRAIN = "vit_cli train --config run.yaml --device cpu"


def with_hub(mode: str, *says: str, code: int = 0, before: str = "", after: str = "") -> Step:
    """Return a training beside a hub that answers so."""
    command = f"{RUN}{before} bash $HUB {mode} {TRAIN} {after}"
    return Step(command, says, code, never=("urllib3", "Retrying", "Exception in thread"))


HUB = (
    Case(
        "hub-401-message",
        "terms, login or token",
        (
            with_hub("gated", r"error\[model\]", "terms|access", "hf auth login", code=5),
            with_hub("401", r"error\[model\]", "HF_TOKEN|hf auth login", code=5),
        ),
    ),
    Case(
        "hub-asked-though-cached",
        "the cache answers",
        (
            with_hub("ok", "Model: "),
            with_hub("blackhole", "Model: ", before="timeout 60", after="--overwrite"),
        ),
    ),
    Case(
        "hub-damaged-stays",
        "refused, then heals",
        (
            with_hub("badhash", r"error\[model\]", "sha256", code=5),
            with_hub("ok", "Model: "),
        ),
    ),
    Case(
        "hub-endpoint-without-scheme",
        "one line",
        (
            with_hub("garbage", r"error\[model\]", "HF_ENDPOINT|127.0.0.1", code=5),
            Step(
                f"{RUN} HF_HOME=$PWD/none HF_ENDPOINT=hf-mirror.example.org {TRAIN}",
                (r"error\[environment\]", "HF_ENDPOINT", "https?://"),
                6,
            ),
        ),
    ),
    Case(
        "hub-no-progress",
        "says what is fetched",
        (with_hub("slow", r"Fetching vit_tiny_patch16_224", r"MB", r"Weights: vit_tiny"),),
    ),
    Case("hub-zeros", "refused", (with_hub("zeros", r"error\[model\]", code=5),)),
)
