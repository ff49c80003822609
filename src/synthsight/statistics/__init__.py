"""From scores to tables."""
