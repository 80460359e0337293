"""How wide lines are that are read elsewhere than on a terminal, or not fitted to one."""

WIDTH = 79  # columns
