"""Files of any format to pixels as they are stored: nothing is rescaled, turned or rounded."""
