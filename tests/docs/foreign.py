"""Names on the pages that are not ours, or that stand for something a reader fills in; each with its reason."""

FOREIGN = {
    "--model_name": "KServe's, appended to the arguments of a transformer",
    "--predictor_host": "KServe's, appended to the arguments of a transformer",
    "--http_port": "KServe's, appended to the arguments of a transformer",
    "--target": "docker build's",
    "get_online_features": "Feast's",
    "bulk_writer": "pymilvus'",
    "pymilvus.bulk_writer": "pymilvus'",
    "credentials_file": "Prometheus'",
    "authorization.credentials_file": "Prometheus'",
    "PIP_EXTRA_INDEX_URL": "pip's",
    "lookalike/transformer": "a container image",
    "lookalike/components": "a container image",
    "lookalike/train": "a container image",
    "lookalike/made-beforehand": "an annotation of the namespace",
    "lookalike/searches": "a label of namespaces",
    "lookalike/backend": "a label of namespaces",
}
