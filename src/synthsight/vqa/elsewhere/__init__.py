"""Answers to the run's questions that were given elsewhere: files of them, read and joined."""
