"""nnU-Net's plans and preprocessed data: made, extended, and compared with the raw data."""
