"""Yes/no questions about images: read, ask, score."""
