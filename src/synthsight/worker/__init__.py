"""A warm process that runs programs for a workflow's local jobs.

Importing torch and the libraries of models costs seconds, a job's own work often less than one. So
the first job that wants it starts a server: a process that imports once and then forks. A program
that runs a model on a device gets a fork of its own, which stays and keeps the models that it has
loaded; any other program gets a fork for itself alone, which ends with it.

:mod:`synthsight.worker.client` is the job's side and imports nothing that is slow to import;
:mod:`synthsight.worker.server` is the other one; :mod:`synthsight.worker.protocol` is what both
know. Nothing here decides what a program computes: without a server the same program runs in the
job's own process.
"""
