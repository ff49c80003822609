"""From a configuration to specs and files."""
