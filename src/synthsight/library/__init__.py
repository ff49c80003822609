"""The parts of :mod:`synthsight.api`: runs as data frames, scoring, one model on a folder."""
