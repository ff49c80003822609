"""How well do vision models understand generated images? Plain functions on arrays and tables.

The library knows nothing of Snakemake. Every module can be imported without torch, except
:mod:`synthsight.classifiers.architectures` and :mod:`synthsight.classifiers.classify`, which run
the networks.
"""
