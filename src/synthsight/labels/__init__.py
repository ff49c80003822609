"""Names of classes, and what counts as a hit."""
