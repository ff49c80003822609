"""Archives of images: download, check, unpack."""
