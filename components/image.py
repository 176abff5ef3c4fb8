"""The container images that components run in; images/component.Dockerfile builds both."""

from lookalike import __version__

TAG = f"{__version__}-python3.11"
"""Carries the version, so a new library version never answers from an old cache."""
IMAGE = f"lookalike/components:{TAG}"
TRAIN_IMAGE = f"lookalike/train:{TAG}"
"""With PyTorch, several gigabytes larger: for the tasks that train, run or export a checkpoint."""
