"""What classifiers and VQA models share when they run."""
