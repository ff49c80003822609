"""Predictions that were made elsewhere: reading them, and joining them with the run's images."""
