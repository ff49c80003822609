"""VQA families: one file each, listed in the registry."""
