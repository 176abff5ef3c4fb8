"""What decides a pretrained encoder that lies in a folder."""

from pathlib import Path

from lookalike.storage import digest_files

WEIGHT_FILES = (".json", ".safetensors", ".bin")
"""Its folder may hold readmes too."""


def encoder_digest(folder: Path) -> str:
    """SHA-256 over configuration and weights."""
    return digest_files(folder, sorted(path.name for path in folder.iterdir() if path.suffix in WEIGHT_FILES))
