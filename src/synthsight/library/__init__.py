"""What :mod:`synthsight.api` offers to notebooks: runs as frames, scoring, a model on a folder."""
