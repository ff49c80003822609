"""Features of images as stages read them: with their sources, and in parts that share nothing."""
