"""The pages on which people say what they see: a sample of pictures, and the page's program."""
