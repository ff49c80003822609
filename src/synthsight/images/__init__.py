"""Reading, checking and preparing images."""
