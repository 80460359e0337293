"""How the cases on datasets, images, masks and splits end."""

from expectations import Case, Step

PREDICT = "vit_cli predict -i in -o out --model $MODEL --device cpu"
NEWEST = "$(ls -td res/*/nnUNetTrainer_vit__* | head -1)"
NO_RAW_LINES = (r"text output above", r"np\.(int|float)")


def train(given: int | str, *says: str, code: int = 0, absent: tuple[str, ...] = ()) -> Step:
    """Return a training of fold 0 of a dataset's number, or with other arguments."""
    arguments = f"{given} 2d 0" if isinstance(given, int) else given
    command = f"vit_cli train {arguments} --config run.yaml --device cpu"
    return Step(command, says, code, never=NO_RAW_LINES, absent=absent)


def refused(name: str, ends: str, given: int | str, *says: str) -> Case:
    """Return a case whose training is refused before anything is planned."""
    return Case(name, ends, (train(given, r"error\[data\]", *says, code=3, absent=("res/*",)),))


def no_prediction(name: str, ends: str, *says: str) -> Case:
    """Return a case whose images are refused before one mask is written."""
    step = Step(PREDICT, (r"error\[data\]", *says), 3, absent=("out/*",))
    return Case(name, ends, (step,))


def evaluated(name: str, ends: str, *says: str) -> Case:
    """Return a case whose masks are refused, without numbers."""
    command = "vit_cli evaluate -p ev/pred -r ev/ref"
    step = Step(command, (r"error\[data\]", *says), 3, (r"mean \d",), absent=("ev/pred/summary*",))
    return Case(name, ends, (step,))


DATA = (
    Case("_base", "trains", (train(800, "Model: "),)),
    refused("all-background", "no foreground in any label", 802, "no foreground", r"\b6\b"),
    Case("channel-names-as-keys", "trains", (train(811, "Model: "),)),
    Case(
        "channels-counted-from-1",
        "trains and predicts",
        (
            train(856, "Model: "),
            Step(
                f"vit_cli predict -i raw/*/imagesTs -o out --model {NEWEST} --device cpu",
                there=("out/*.png",),
            ),
        ),
    ),
    Case(
        "dataset-name",
        "both train",
        (train(816, "Model: "), train("Dataset1234_Four 2d 0", "Model: ")),
    ),
    refused("duplicate-label-values", "both names of 1", 850, "ring", "core", r"\b1\b"),
    Case(
        "evaluate-overlay-image-size",
        "Dice, then the file",
        (
            Step(
                "vit_cli evaluate -p ev/pred -r ev/ref -i ev/img --overlays ov",
                (r"Dice", r"mean \d", r"error\[data\]", "c1_0000.png"),
                3,
            ),
        ),
    ),
    evaluated("evaluate-reference-255", "asks whether 255 is 1", "255", r"c\d\.png"),
    evaluated("evaluate-reference-palette", "names the palette", r"c0\.png", "palette"),
    evaluated("evaluate-shape", "both sizes", r"c1\.png", r"64", r"70", r"60"),
    Case(
        "head_not_installed",
        "no advice to install a guess",
        (
            Step(
                "vit_cli validate run.yaml --set model.head=membranegate",
                ("membranegate", "Installed: "),
                2,
                ("pip install nnunet-vit-membranegate",),
            ),
        ),
    ),
    refused("image-names-without-0000", "the right name", 854, r"case_000\.png", r"_0000\.png"),
    refused("jpg_images", "endings that are read", "", r"\.jpg", r"\.png", r"\.nii\.gz"),
    refused("label_0_255", "asks whether 255 is 1", "", "255", "Fix: "),
    refused("nifti-thin-axis", "the axis", "801 2d 0 --set train.patch_size=null", "axis"),
    refused("no_channel_suffix", "the right name", "", r"c_0\.png", r"c_0_0000\.png"),
    Case(
        "numtraining-wrong",
        "counts cases, prepares once",
        (
            train(845, "numTraining", "Model: "),
            Step(
                "vit_cli train 845 2d 1 --config run.yaml --device cpu",
                ("Model: ",),
                never=("Preprocessing",),
            ),
        ),
    ),
    refused("old_style_json", "names nnU-Net's converter", "", "nnUNetv2_convert"),
    Case(
        "overlays_nifti",
        "draws slices",
        (
            Step(
                "vit_cli evaluate -p masks -r labels -i images --overlays ov",
                (r"mean \d",),
                there=("ov/*.png",),
            ),
        ),
    ),
    refused("palette_label", "names the palette", "", "palette", r"c_0\.png"),
    no_prediction("predict-16bit", "names the file", r"16", r"_0000\.png"),
    no_prediction("predict-empty-file", "names the file", "empty|0 bytes", r"_0000\.png"),
    no_prediction("predict-grey", "names the file", r"_0000\.png", "1 channel"),
    no_prediction("predict-jpg", "says to convert", r"\.jpe?g", "convert"),
    no_prediction("predict-names-without-0000", "the right name", r"image01_0000\.png"),
    no_prediction("predict-rgba", "names the file", r"z_rgba_0000\.png", "4 channels"),
    Case(
        "predict-spacing-unit",
        "both spacings",
        (
            train(861, "Model: "),
            *(
                Step(
                    f"ulimit -v 24000000; vit_cli predict -i {folder} -o out --model {NEWEST} "
                    "--device cpu",
                    (r"error\[data\]", file, spacing),
                    3,
                    absent=("out/*",),
                )
                for folder, file, spacing in (
                    ("in_tiny", r"metres_0000\.nii\.gz", r"0\.001"),
                    ("in_huge", r"um_0000\.nii\.gz", r"1000"),
                )
            ),
        ),
    ),
    Case(
        "predict_on_terminal",
        "ends with 0",
        (
            train("", "Model: "),
            Step(
                "script -qec 'vit_cli predict -i raw/Dataset700_Case/imagesTr -o masks "
                f"--device cpu --model {NEWEST}' log",
                (r"masks in masks",),
                there=("masks/*.png",),
            ),
        ),
    ),
    Case(
        "predict_rgb_with_grey_model",
        "names the channels",
        (
            train("", "Model: "),
            *(
                Step(
                    f"vit_cli predict -i {folder} -o out --model {NEWEST} --device cpu",
                    (r"error\[data\]", rf"{channels} channels"),
                    3,
                    absent=("out/*",),
                )
                for folder, channels in (("rgb", 3), ("rgba", 4))
            ),
        ),
    ),
    refused("splits-not-json", "names the file", 830, r"splits_final\.json", "line 1"),
    Case(
        "splits-ten-folds",
        "fold 5 trains",
        (train("837 2d 5", "Model: "),),
    ),
    Case(
        "splits-unknown-case",
        "names the cases",
        (
            train(831, r"error\[data\]", r"splits_final\.json", "patient_999", code=3),
            train(832, r"error\[data\]", r"splits_final\.json", r"\.png", code=3),
        ),
    ),
    Case(
        "stale-added-cases",
        "asks for --update-data",
        (
            train(843, r"error\[data\]", "--update-data", r"\b2\b", code=3),
            train("843 2d 0 --update-data", "Model: "),
            train("843 2d 1", "Model: "),
        ),
    ),
    Case("stale-after-fix", "trains after the correction", (train(808, "Model: "),)),
    Case(
        "stale-classes",
        "says that labels differ",
        (
            train(842, r"error\[data\]", "labels", "--preprocess-again", code=3, absent=("res/*",)),
            train("842 2d 0 --preprocess-again", "Model: "),
        ),
    ),
    Case(
        "stale-normalization",
        "says that channels differ",
        (
            train(
                840, r"error\[data\]", "channel_names", "--preprocess-again", code=3,
                absent=("res/*",),
            ),
            train("840 2d 0 --preprocess-again", "Model: "),
        ),
    ),
    Case(
        "train-image-errors",
        "names each file",
        (
            train(803, r"error\[data\]", r"_0000\.png", "4 channels", code=3, absent=("res/*",)),
            train(855, r"error\[data\]", r"_000\d\.", code=3, absent=("res/*",)),
            train(862, r"error\[data\]", r"case_\d+\.png", r"\d+ x \d+", code=3, absent=("res/*",)),
            train(825, r"error\[data\]", r"\.tif", "NaN|finite", code=3, absent=("res/*",)),
        ),
    ),
    refused("train-truncated-image", "names the file", 809, r"case_\d+_0000\.png", "cut|truncated"),
    Case(
        "train-unexpected-labels",
        "palette and 255",
        (
            train(805, r"error\[data\]", r"case_000\.png", "palette", code=3, absent=("res/*",)),
            train(865, r"error\[data\]", r"case_000\.png", "255", code=3, absent=("res/*",)),
        ),
    ),
)  # fmt: skip
