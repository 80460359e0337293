from nnunet_vit.testing import HeadContract


class TestTwolevel(HeadContract):
    head = "twolevel"
