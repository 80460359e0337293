"""Each rule of the contract refuses a head that breaks it, and says what to change."""

import pytest

from nnunet_vit.testing.contract_error import ContractError
from nnunet_vit.testing.rules import RULES

pytestmark = pytest.mark.unit

FORWARD = "            features = backbone.feature_maps(images, [-1])[0]\n"
FINEST = "            finest = functional.interpolate("
RETURN = "            return [finest, logits] if deep_supervision else finest"
INIT = "            self.backbone = backbone\n"
WIDTH = 'width: int = Field(16, ge=4, le=64, description="channels")'


OWN_LOSS = """@hookimpl
def create_loss(num_classes, has_regions, ignore_label, default_loss):
    from torch.nn import functional

    def loss(outputs, target):
        RETURN

    return loss

"""
BEFORE_STEP = """@hookimpl
def before_training_step(model, progress):
    model.scale = 1.0 + progress

"""
OPTIONS = "@hookimpl\ndef head_options"


def own_loss(line):
    return (OPTIONS, OWN_LOSS.replace("RETURN", line) + OPTIONS)


def after_forward(line):
    return (RETURN, f"            {line}\n{RETURN}")


FAULTS = {
    "no upsampling": (
        "shapes",
        [("finest = functional.interpolate(logits, size=images.shape[-2:], mode=\"bilinear\")",
          "finest = logits")],
        "images of (56, 84) pixels: logits of shape (2, 5, 4, 6); needed: (2, 5, 56, 84). Fix: "
        "num_classes channels, and interpolate at the end to images.shape[-2:].",
    ),
    "fixed classes": ("shapes", [("options.width, num_classes, 1", "options.width, 3, 1")],
                      "logits of shape (2, 3, 56, 84); needed: (2, 5, 56, 84)"),
    "statistics over a batch": (
        "shapes", [("self.enter(features)", "functional.batch_norm(self.enter(features)."
                    "mean((2, 3), True), None, None, training=self.training or True)")],
        "Expected more than 1 value per channel"),
    "log of 0": ("finite", [after_forward("finest = finest + images.abs().sum().log()")],
                 "the logits of an image of zeros hold values that are not finite."),
    "large logits": ("finite", [after_forward("finest = finest * 1e7")], "in half precision"),
    "neighbours": ("batch", [after_forward("finest = finest - finest.mean()")],
                   "In eval mode an image's logits change by"),
    "unused layer": ("gradients", [(INIT, INIT + "            self.idle = nn.Linear(2, 2)\n")],
                     "tuning full: 2 trained parameters are never used: idle.weight, idle.bias."),
    "early block": ("gradients", [("images, [-1]", "images, [0]")], "are never used: backbone."),
    "features cut off": ("gradients", [("(images, [-1])[0]", "(images, [-1])[0].detach()")],
                         "are never used: backbone."),
    "unfrozen": ("gradients", [(INIT, INIT + "            backbone.requires_grad_(True)\n")],
                 "tuning frozen: "),
    "frozen": ("gradients", [(INIT, INIT + "            backbone.requires_grad_(False)\n")],
               "tuning full: nothing of the backbone is trained."),
    "nothing learned": ("gradients", [after_forward("finest = logits = finest * 0 * finest")],
                        "tuning full: every gradient of the head is 0."),
    "gradients turned round": (
        "learning", [after_forward("finest = 2 * finest.detach() - finest"),
                     after_forward("logits = 2 * logits.detach() - logits")],
        "Within 4 steps on the same two images the loss goes from "),
    "weights without effect": ("saving", [after_forward("finest = finest * 0")],
                               "Loading a saved state changes no logit."),
    "classes alone": (
        "targets",
        [own_loss("return functional.cross_entropy(outputs[0], target[:, 0].long())")],
        "The head's loss fails for classes, ignored pixels: IndexError: ",
    ),
    "only ignored": ("targets", [own_loss("return functional.cross_entropy(outputs[0], target"
                                          "[:, 0].long(), ignore_index=3)")],
                     "The head's loss for classes, ignored pixels, all of them is nan; needed: one "
                     "finite number. Fix: create_loss: read has_regions and ignore_label, and "
                     "leave ignored pixels out."),
    "ignored pixels counted": (
        "targets",
        [own_loss("return (outputs[0] - 1.0 * target[:, :3]).square().mean()")],
        "with the target of ignored pixels. Fix: leave out what the target's last channel marks "
        "with 1.",
    ),
    "shifted": ("alignment", [after_forward("finest = finest.roll(14, -1)")],
                ("patches lower and +0.9", " patches further right; allowed: less than 0.5.")),
    "shifted by two thirds": (
        "alignment",
        [after_forward("finest = finest.roll(9, -2)")],
        "patches lower and",
    ),
    "scaled": ("alignment", [after_forward(
        "finest = functional.interpolate(logits, scale_factor=16, mode='bilinear')"
        "[..., :images.shape[-2], :images.shape[-1]]")], "patches further right"),
    "turned": ("alignment", [after_forward("finest = functional.interpolate(logits.mT, "
                                       "images.shape[-2:])")], "patches lower and"),
    "features unused": ("alignment", [after_forward("finest = finest * 0 + images[:, :1]")],
                        "A change in the features changes no logit."),
    "image shifted": ("alignment", [after_forward("finest = finest + images[:, :1].roll(14, -2)")],
                      "A change of the image in patch (row 3, column 7) shows +1.00 patches lower"),
    "lost attribute": ("saving", [(INIT, INIT + "            self.scale = torch.rand(1)\n"),
                                  after_forward("finest = finest * self.scale")],
                       "After loading a saved state the logits differ from those before saving."),
    "a change that is not saved": (
        "saving",
        [(OPTIONS, BEFORE_STEP + OPTIONS), (INIT, INIT + "            self.scale = 1.0\n"),
         after_forward("finest = finest * self.scale")],
        "After loading a saved state the logits differ from those before saving."),
    "other parameters": (
        "saving", [("options.width, num_classes, 1)", "options.width, num_classes, 1, "
                    "bias=bool(torch.initial_seed() % 2))")], "The saved state does not load: "),
    "coarsest first": ("deep_supervision", [("[finest, logits]", "[logits, finest]")],
                       "Deep supervision: the first of the logits has shape (2, 3, 4, 6); needed: "
                       "(2, 3, 56, 84). Fix: return the list finest first"),
    "always a list": ("deep_supervision", [(RETURN, "            return [finest, logits]")],
                      "With deep_supervision=False the module returns no tensor."),
    "a branch on values": (
        "compile", [after_forward("finest = finest if finest.sum().item() > 0 else -finest")],
        'or write NOT_COMPILABLE = "the reason" beside the hooks.'),
    "no graph": (
        "export", [after_forward("finest = finest if finest.sum().item() > 0 else -finest")],
        'or write NOT_EXPORTABLE = "the reason" beside the hooks.'),
    "torch at import": ("imports", [("from typing", "import torch\nfrom typing")],
                        "ImportError: imports torch at module level; a plugin does so inside its"),
    "numpy at import": ("imports", [("from typing", "import numpy\nfrom typing")],
                        "imports numpy at module level."),
    "no bounds": ("options", [("ge=4, le=64, ", "ge=4, ")],
                  "option width has no maximum. Fix: Field(ge=…, le=…)."),
    "no description": ("options", [(', description="channels"', "")],
                       "option width has no description."),
    "any text": ("options", [("gated: bool = Field(False,", "gated: str = Field('',")],
                 "option gated takes any text."),
    "no default": ("options", [("Field(16, ge", "Field(ge")], "options without a value: width."),
    "clamped": ("options", [(WIDTH, WIDTH + "\n    model_config = {'extra': 'ignore'}")],
                "an unknown option is accepted"),
    "too small": ("lower_bounds", [("self.classifier = nn", "self.group = nn.GroupNorm(8, "
                                "options.width)\n            self.classifier = nn")],
                  "width: 4 is allowed, and then: "),
    "an odd number": ("between", [("self.classifier = nn", "self.group = nn.GroupNorm(4, "
                                   "options.width)\n            self.classifier = nn")],
                      "width: 5 is allowed, and then: "),
    "two options that do not fit": (
        "between",
        [("self.classifier = nn", "assert not (options.gated and options.width == 12)\n"
          "            self.classifier = nn")],
        "is allowed, and then: "),
    "softmax": ("logits", [after_forward("finest = finest.softmax(1)")],
                "they lie in 0..1 and their sum over the classes is 1, whatever the weights. Fix: "
                "leave out the softmax"),
    "sigmoid": ("logits", [after_forward("finest = finest.sigmoid()")],
                "they lie in 0..1, whatever the weights. Fix: leave out the sigmoid"),
    "features beside the logits": (
        "logits", [(RETURN, "            return finest, features")],
        "In eval mode the module returned a tuple; needed: logits (B, num_classes, H, W)."),
    "a dictionary": (
        "logits", [(RETURN, "            return {'logits': finest}")],
        "In eval mode the module returned a dict; needed: logits (B, num_classes, H, W)."),
    "requirements": ("requirements", [], "x-head needs nnunet-vit>=99 (installed: "),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(faulty, checked, fault):
    rule, changes, text = FAULTS[fault]
    faulty(*changes, requires=("nnunet-vit>=99",) if rule == "requirements" else ())
    with pytest.raises(Exception) as caught:
        checked(rule)
    parts = (text,) if isinstance(text, str) else text
    assert all(part in str(caught.value) for part in parts)
    assert isinstance(caught.value, ContractError) or fault == "statistics over a batch"


@pytest.mark.parametrize("rule", RULES)
def test_the_head_without_a_fault_passes(faulty, checked, rule):
    faulty()
    checked(rule)


def test_a_third_of_a_patch_is_let_pass(faulty, checked):
    faulty(after_forward("finest = finest.roll(4, -2)"))
    checked("alignment")


def test_every_rule_is_seen_to_fail():
    assert {rule for rule, _, _ in FAULTS.values()} == set(RULES)
