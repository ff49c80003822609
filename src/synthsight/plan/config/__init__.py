"""The configuration: its schema, what it names, and everything that can be wrong with it."""
