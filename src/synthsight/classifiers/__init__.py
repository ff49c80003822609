"""Image classifiers: build, fetch, classify, score."""
