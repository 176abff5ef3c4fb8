"""The release in service, which a challenger has to beat."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def find_champion(workspace: str) -> str:
    """Return the id of the live release; empty before the first.

    Args:
        workspace: root of the shop's workspace.
    """
    from lookalike import stages

    return stages.champion(workspace)
