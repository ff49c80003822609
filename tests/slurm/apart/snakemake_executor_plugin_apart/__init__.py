"""An executor whose jobs share no file system with Snakemake, as on Kubernetes.

It submits by commands like ``cluster-generic``. All else is as with Snakemake's executors for
clouds: sources and files reach a job, and leave it, by the default storage alone.
"""

from __future__ import annotations

from dataclasses import replace

from snakemake_executor_plugin_cluster_generic import Executor, ExecutorSettings
from snakemake_executor_plugin_cluster_generic import common_settings as of_commands

__all__ = ["Executor", "ExecutorSettings", "common_settings"]

common_settings = replace(
    of_commands,
    implies_no_shared_fs=True,
    job_deploy_sources=True,
    pass_envvar_declarations_to_cmd=False,
)
