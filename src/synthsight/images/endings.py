"""The extensions of image files: known without what reads them."""

from __future__ import annotations

#: File extensions, in lower case, of images. A file of another name is one if its content is.
SUFFIXES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".gif", ".bmp"),
        *(".tif", ".tiff", ".avif"),
    }
)
