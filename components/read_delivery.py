"""What a scheduled watch finds that was not known when it was scheduled."""

from typing import NamedTuple

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def read_delivery(catalogue: str, workspace: str, mapping: str = "", settings: dict = {}) -> NamedTuple(  # type: ignore[valid-type]
    "Delivery", [("digest", str), ("settings", dict)]
):
    """Return the catalogue's digest now, and the settings with the products erased by now.

    Args:
        catalogue: folder, file or URL of the shop's catalogue.
        workspace: root of the shop's workspace, with the list of erasures.
        mapping: mapping file; empty for the one beside the data, or a preset.
        settings: overrides by stage name.
    """
    from lookalike import stages

    return (stages.catalogue_digest(catalogue, mapping), stages.with_erasures(workspace, settings))
