"""How well do vision models understand generated images? Plain functions on arrays and tables.

The library knows nothing of Snakemake. Networks are imported only where they run: in
:mod:`synthsight.inference`, :mod:`synthsight.classifiers` and :mod:`synthsight.vqa`. Even there,
reading a configuration or questions and scoring a network's outputs do not import them.
"""
