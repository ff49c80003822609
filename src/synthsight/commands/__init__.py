"""The command line: one module for each command, with its arguments, help and implementation."""
