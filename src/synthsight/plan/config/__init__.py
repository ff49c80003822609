"""The configuration: its schema, what it names, and all that can be wrong with it."""
