"""The figures, a module each, over one shared :mod:`synthsight.figures.style`."""
