"""The table ``transfer``."""
