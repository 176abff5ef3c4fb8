"""Pipeline runs: asked for by name, started once, looked at until they end; on Kubeflow, on this machine, in memory."""
