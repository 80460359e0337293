"""How the cases on files of weights and on plugins end: `make.py` prints a line per attempt."""

from expectations import Case, Step

MAKE = "python make.py"
EXACT = r"features differ from the origin by (?:[0-9.]+e-(?:0[5-9]|1\d)|0\.00e\+00)"
NO_ADVICE = (r"expected_coverage",)


def attempts(name: str, ends: str, *says: str, never: tuple[str, ...] = NO_ADVICE) -> Case:
    """Return a case whose make.py prints these lines."""
    return Case(name, ends, (Step(MAKE, says, never=never),))


def loaded(title: str) -> str:
    """Return the pattern of an attempt that loads the very features of the origin."""
    return rf"\[{title}\] loaded: [^\n]*{EXACT}"


def refused(title: str, *words: str) -> str:
    """Return the pattern of an attempt that is refused with these words."""
    return rf"\[{title}\] ModelError: [^\n]*" + r"[^\n]*".join(words)


PREFIXES = (
    "net.", "model.net.", "pretrained.", "image_encoder.", "visual_encoder.",
    "module.base_encoder.", "vit_mae.vit.", "backbone.dinov3.", "backbone._model_wrapper._model.",
    "base_model.model.", "sam.image_encoder.", "online_encoder.", "feature_extractor.", "0.",
)  # fmt: skip

WEIGHTS = (
    attempts(
        "advice-drops-layerscale",
        "built from config.json, never dropped",
        loaded("as config.json says"),
        loaded("dinov2 small, patch_size 16"),
        never=(rf"\[advice followed[^\n]*loaded: (?![^\n]*{EXACT})",),
    ),
    attempts(
        "advice-drops-registers",
        "names small_reg4",
        refused("plain", "small_reg4"),
        refused("plain, advice followed", "small_reg4"),
        loaded("small_reg4"),
        never=(r"write its share",),
    ),
    attempts(
        "hf-config-ignored",
        "refused or built so",
        loaded(r"3 heads \(control\)"),
        rf"(?:{refused('12 heads', 'head')}|{loaded('12 heads')})",
        rf"(?:{refused('gelu_new', 'gelu')}|{loaded('gelu_new')})",
        loaded(r"DINOv3 rope_theta 100.0"),
        rf"(?:{refused('DINOv3 rope_theta 10000.0', 'rope_theta')}"
        rf"|{loaded('DINOv3 rope_theta 10000.0')})",
    ),
    attempts(
        "layouts-missing",
        "translated, or the network is named",
        r"\[HF SigLIP\] (?:loaded|ModelError: [^\n]*SigLIP)",
        r"\[HF CLIP\] (?:loaded|ModelError: [^\n]*CLIP)",
        r"\[HF DeiT distilled\] loaded",
        r"\[torchvision\] loaded",
    ),
    attempts(
        "pickled-extras",
        "harmless ones pass",
        *(rf"\[{title}\] loaded: " for title in ("Path", "ndarray", "defaultdict", "datetime")),
        never=("weights_only",),
    ),
    attempts(
        "pos-square-count",
        "the run's own grid, said",
        loaded("28x7 into 28x7"),
        r"\[12x16 into 16x12\] (?:ModelError|loaded: [^\n]*grid)",
    ),
    attempts("prefix-unknown", "all load", *(loaded(p.replace(".", r"\.")) for p in PREFIXES)),
    attempts(
        "sparse-meta-crash",
        "one sentence each",
        refused("sparse", "sparse"),
        refused("meta", "meta"),
    ),
    attempts(
        "torchscript-clip",
        "a recipe of our own",
        r"\[torchscript\] (?:ModelError: [^\n]*TorchScript|loaded)",
        never=("weights_only", "arbitrary code"),
    ),
    attempts("zeros-accepted", "refused", refused("zero tail", "zero")),
    Case(
        "head-softmaxed",
        "probabilities are found",
        (
            Step(
                "PYTHONPATH=$PLUGINS/one:$PYTHONPATH vit_cli check-head softmaxed",
                ("FAIL", "probabilit"),
                4,
            ),
        ),
    ),
    Case(
        "plugin-metadata",
        "each is named",
        (
            Step(
                "PYTHONPATH=$PLUGINS/one:$PYTHONPATH vit_cli list-models --heads",
                (r"nnunet-vit ?>= ?9", r"class"),
            ),
            Step(
                "PYTHONPATH=$PLUGINS/two:$PYTHONPATH vit_cli list-models --heads",
                (r"METADATA",),
                never=("None None",),
            ),
        ),
    ),
)
