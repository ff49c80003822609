"""Sets of questions as they are published: what their files look like, and where images are."""
