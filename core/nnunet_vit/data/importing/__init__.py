"""From folders of images and masks, or a table, to a raw dataset in nnU-Net's format."""
