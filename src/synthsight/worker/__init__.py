"""A warm process that runs programs for a workflow's local jobs.

Importing torch and the model libraries takes seconds, a job's own work often less than one. So a
run, or the first job that needs it, starts a server: a process that imports once and then forks. A
program that runs a model on a device gets a fork that stays and keeps the models that it has
loaded, to serve later programs; any other program gets a fork for itself alone, which ends with it.

:mod:`synthsight.worker.client` is the job's side and imports nothing slow;
:mod:`synthsight.worker.server` is the other side; :mod:`synthsight.worker.protocol` is shared by
both. Nothing here affects what a program computes: without a server the same program runs in the
job's own process.
"""
