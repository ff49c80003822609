"""Features of images, and what is made of them together."""
