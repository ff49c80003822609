"""Models that are trained on a run's own images; each image is predicted by one that saw it not."""
