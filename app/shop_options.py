"""The options of every verb that runs a pipeline over a shop, declared once."""

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cached_property
from typing import Any, Concatenate, ParamSpec, TypeVar

from app.options import (
    DEFAULT_WORKSPACE,
    CatalogueOption,
    EncoderOption,
    LimitOption,
    MappingOption,
    MilvusOption,
    RecipeOption,
    SetOption,
    SettingsOption,
    WorkspaceOption,
    read_settings,
)
from app.recipes import ChosenRecipe, resolve_recipe
from lookalike.workspace import Workspace


@dataclass(frozen=True)
class ShopOptions:
    """The options as typed, and what they come to."""

    catalogue: CatalogueOption
    workspace: WorkspaceOption = DEFAULT_WORKSPACE
    mapping: MappingOption = None
    limit: LimitOption = 0
    milvus: MilvusOption = ""
    settings: SettingsOption = None
    overrides: SetOption = None

    @cached_property
    def shop(self) -> Workspace:
        return Workspace(self.workspace.resolve())

    def data(self, milvus_uri: str = "") -> tuple[str, str, int, str, dict[str, dict[str, Any]]]:
        """What pipelines are told of the shop's data; another URI takes the place of `--milvus`."""
        chosen = read_settings(self.settings, self.overrides)
        return self.catalogue, str(self.mapping or ""), self.limit, milvus_uri or self.milvus, chosen


@dataclass(frozen=True)
class TrainingOptions(ShopOptions):
    """And what a training, or a watch that may start one, is told of the model."""

    recipe: RecipeOption = "sample_cpu"
    encoder: EncoderOption = ""

    def chosen_recipe(self) -> ChosenRecipe:
        """Raises ConfigError."""
        return resolve_recipe(self.recipe, self.encoder, catalogue=self.catalogue)


Own = ParamSpec("Own")
Options = TypeVar("Options", bound=ShopOptions)


def taking(
    options: type[Options],
) -> Callable[[Callable[Concatenate[Options, Own], None]], Callable[..., None]]:
    """Let a verb, whose first parameter is `options`, be called with the fields instead: Typer reads signatures."""
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=field.type,
        )
        for field in fields(options)
    ]

    def spread(verb: Callable[Concatenate[Options, Own], None]) -> Callable[..., None]:
        @functools.wraps(verb)
        def called(*own: Any, **given: Any) -> None:
            verb(options(**{one.name: given.pop(one.name) for one in shared}), *own, **given)

        _, *rest = inspect.signature(verb).parameters.values()
        own = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in rest]
        called.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
        return called

    return spread
