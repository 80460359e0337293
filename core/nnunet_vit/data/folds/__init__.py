"""Who trains and who validates where the run file says more than nnU-Net's five folds."""
