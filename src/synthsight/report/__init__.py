"""The page that people open: one HTML file with the run's tables, charts and pictures in it."""
