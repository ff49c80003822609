"""What each thing looks like: one drawing function per thing, in no particular style.

Every function takes a random generator, which chooses the pose, the colours and the details,
and returns a ``demo.sketch.Sketch``.
"""
