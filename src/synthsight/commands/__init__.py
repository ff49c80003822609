"""The command line: one module for each command, with its arguments, its help and what it does."""
