"""What a run finds that its arguments do not say: the delivery's content, and which settings concern which task."""

from typing import NamedTuple

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def read_delivery(catalogue: str, workspace: str, mapping: str = "", settings: dict = {}) -> NamedTuple(  # type: ignore[valid-type]
    "Delivery",
    [
        ("delivery", str),
        ("validate", dict),
        ("split", dict),
        ("mine", dict),
        ("export", dict),
        ("evaluate", dict),
        ("embed", dict),
    ],
):
    """Return the digest of what was delivered, and for each cached task the settings that it alone depends on.

    A task's place in the cache is decided by what it is given. It is given digests and its own settings, so it runs
    again when they change and only then, wherever the catalogue lies.

    Args:
        catalogue: folder, file or URL of the shop's catalogue.
        workspace: root of the shop's workspace, with the list of erasures; the delivery's place is noted there.
        mapping: mapping file; empty for the one beside the data, or a preset.
        settings: overrides by stage name; products erased by now are added to those of "validate".
    """
    from lookalike import stages

    tasks = stages.settings_by_task(stages.with_erasures(workspace, settings))
    delivery = stages.note_delivery(catalogue, workspace=workspace, mapping=mapping, settings=tasks["validate"])
    return (delivery, *(tasks[task] for task in ("validate", "split", "mine", "export", "evaluate", "embed")))
