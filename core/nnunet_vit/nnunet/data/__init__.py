"""A dataset's files: their names, masks, images, splits, and the record of preprocessing."""
