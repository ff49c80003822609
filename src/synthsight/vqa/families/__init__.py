"""VQA families: one file each, named in the registry."""
