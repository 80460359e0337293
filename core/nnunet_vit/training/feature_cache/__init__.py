"""Views of the training cases whose features are kept: which there are, where, who draws them."""
