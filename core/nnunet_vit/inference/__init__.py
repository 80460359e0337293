"""A trained model's folder and what it predicts."""
