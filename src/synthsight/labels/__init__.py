"""Label spaces, and what counts as a hit."""
