"""A Kubeflow Pipelines API server that keeps everything in memory and takes nothing its swagger does not describe."""
