"""The table ``distances``."""
