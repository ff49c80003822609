"""Training on one source of images and testing on another."""
