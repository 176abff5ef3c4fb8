"""What a training depends on beside its data."""

from typing import NamedTuple

from kfp import dsl

from components.image import IMAGE


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def read_recipe(recipe: str) -> NamedTuple("Recipe", [("recipe", str), ("encoder", str)]):  # type: ignore[valid-type]
    """Return the recipe without comments and layout, and the digest of the pretrained encoder that it names.

    Args:
        recipe: the training recipe as YAML text, as in pipelines/recipes.
    """
    from lookalike import stages

    return stages.read_recipe(recipe)
