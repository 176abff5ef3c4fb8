"""Start: the runs that a decision asked for, with the client a person uses."""

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def start_runs(
    catalogue: str,
    workspace: str,
    milvus_uri: str,
    recipe: str,
    mapping: str = "",
    limit: int = 0,
    settings: dict = {},
    api: str = "",
) -> list[str]:
    """Start training or indexing where it was asked for and return the ids of the runs; each name is started once.

    Args:
        catalogue: folder, file or URL of the shop's catalogue.
        workspace: root of the shop's workspace, with what was asked for.
        milvus_uri: a Milvus server's URI or a Milvus Lite path.
        recipe: the recipe of a retraining as YAML text.
        mapping: mapping file; empty for the one beside the data, or a preset.
        limit: read only this many products; 0 for all.
        settings: overrides by stage name.
        api: KFP API server that starts the runs; empty for processes on this machine.
    """
    from importlib.resources import files

    from monitoring import stages

    arguments = {
        "catalogue": catalogue,
        "workspace": workspace,
        "milvus_uri": milvus_uri,
        "mapping": mapping,
        "limit": limit,
        "settings": settings,
    }
    compiled = str(files("pipelines") / "compiled")
    return stages.start(workspace=workspace, pipelines=compiled, arguments=arguments, recipe=recipe, api=api)
