"""Which run or pair of runs is best by cross-validation, and what is done with its masks."""
