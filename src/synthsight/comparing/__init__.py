"""Two finished runs compared: what differs between them, and what that does to the numbers."""
