"""A trained model as a bioimage.io record, for Fiji, QuPath, deepImageJ and bioimageio.core."""
