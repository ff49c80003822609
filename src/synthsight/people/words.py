"""What people may say of an image besides a category of the run."""

from __future__ import annotations

#: They see something that is no category of the run, or nothing that they can name. Neither is
#: right.
OTHER, CANNOT_TELL = "other", "cannot tell"
