"""The catalogue's expectations as Great Expectations suites, and their Data Docs.

The suites look at the delivery as it came, before quarantine, so the pages show what the shop sent.
Importing this module loads Great Expectations (3 s): only the validate stage does, when it works.
"""

# mypy: disable-error-code="attr-defined"
# Great Expectations re-exports its names without saying so.

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.core.run_identifier import RunIdentifier
from great_expectations.data_context.store.store import DataDocsSiteConfigTypedDict
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.core import (
    ExpectColumnValuesToBeInSet,
    ExpectColumnValuesToBeUnique,
    ExpectColumnValuesToNotBeNull,
    ExpectTableRowCountToBeBetween,
)
from great_expectations.expectations.expectation import ColumnMapExpectation, Expectation
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.expectations.metrics import ColumnMapMetricProvider, column_condition_partial
from great_expectations.expectations.row_conditions import Column
from great_expectations.render import LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer

from lookalike.catalog.examination import BadPhoto, GoodPhoto
from lookalike.catalog.mapping import CatalogueMapping
from lookalike.catalog.products import attribute_column
from lookalike.catalog.thresholds import ValidationSettings

DECODED = "decoded"
"""What the photos table says of a good photo; a bad one's line holds the decoder's sentence."""

SITE = "catalogue"

Tables = Mapping[str, pd.DataFrame]


class PhotoDecodes(ColumnMapMetricProvider):
    """Metric behind ExpectPhotosToDecode; photos are decoded once, beforehand, in many threads."""

    condition_metric_name = "column_values.photo_decodes"

    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **kwargs: Any) -> pd.Series:
        return column == DECODED


class ExpectPhotosToDecode(ColumnMapExpectation):
    """Expect every photo to decode; unexpected values are the decoder's reasons."""

    map_metric = "column_values.photo_decodes"

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    def _prescriptive_renderer(cls, *_: Any, **__: Any) -> list[RenderedStringTemplateContent]:
        template = {"template": "every photo is fetched and decodes within the limits.", "params": {}}
        return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]


def delivery_tables(
    rows: pd.DataFrame, good: Sequence[GoodPhoto], bad: Sequence[BadPhoto], duplicates: pd.DataFrame
) -> Tables:
    """What the suites look at: the delivered rows, and one line per delivered photo."""
    photos = [(p.raw.product_id, p.raw.position, DECODED) for p in good]
    photos += [(p.raw.product_id, p.raw.position, p.detail) for p in bad]
    shared = rows["product_id"].isin(set(duplicates["product_id"]))
    return {
        "products": rows.assign(picture=shared.map({True: "shared", False: "its own"})),
        "photos": pd.DataFrame(photos, columns=["product_id", "position", "photo"]),
    }


def suites(
    mapping: CatalogueMapping, settings: ValidationSettings, tables: Tables, learned: Mapping[str, Sequence[str]]
) -> dict[str, list[Expectation]]:
    """The expectations of each table; shares are those of the settings, `learned` the values that each attribute
    had in the earlier delivery."""
    products: list[Expectation] = [
        ExpectTableRowCountToBeBetween(min_value=settings.min_products),
        ExpectColumnValuesToNotBeNull(column="product_id", mostly=1 - settings.max_quarantined),
        ExpectColumnValuesToBeUnique(column="product_id", mostly=1 - settings.max_quarantined),
        ExpectColumnValuesToNotBeNull(column="vertical", mostly=1 - settings.max_quarantined),
        ExpectColumnValuesToBeInSet(
            column="picture",
            value_set=["its own"],
            mostly=1 - settings.max_near_duplicates,
            severity=FailureSeverity.WARNING,
        ),
        *_null_expectations(mapping, settings, tables["products"]),
        *_value_expectations(settings.allowed_values, settings.max_quarantined, FailureSeverity.CRITICAL),
        *_value_expectations(learned, settings.max_unseen_values, FailureSeverity.WARNING),
    ]
    photos: list[Expectation] = [ExpectPhotosToDecode(column="photo", mostly=1 - settings.max_lost_photos)]
    return {"products": products, "photos": photos if len(tables["photos"]) else []}


def _null_expectations(
    mapping: CatalogueMapping, settings: ValidationSettings, rows: pd.DataFrame
) -> list[Expectation]:
    """Known values of each attribute, overall and per vertical; without a limit of its own, any share will do."""
    found: list[Expectation] = []
    for name, limit in (dict.fromkeys(mapping.sources, 1.0) | settings.null_limits(mapping.required)).items():
        column = attribute_column(name)
        found.append(ExpectColumnValuesToNotBeNull(column=column, mostly=1 - limit))
        found += [
            ExpectColumnValuesToNotBeNull(
                column=column,
                mostly=1 - limit,
                row_condition=Column("vertical") == vertical,
                severity=FailureSeverity.WARNING,
            )
            for vertical in sorted(rows["vertical"].dropna().unique())
        ]
    return found


def _value_expectations(
    sets: Mapping[str, Sequence[str]], exceptions: float, severity: FailureSeverity
) -> list[Expectation]:
    return [
        ExpectColumnValuesToBeInSet(
            column=attribute_column(name), value_set=list(values), mostly=1 - exceptions, severity=severity
        )
        for name, values in sets.items()
    ]


def write_data_docs(folder: Path, tables: Tables, expected: Mapping[str, Sequence[Expectation]]) -> dict[str, int]:
    """Check each table against its suite and write the HTML pages. Returns how many expectations hold and how
    many there are."""
    context = gx.get_context(mode="ephemeral")
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    context.add_data_docs_site(SITE, _site(folder))
    source = context.data_sources.add_pandas("delivery")
    counts = {"expectations": 0, "expectations_met": 0}
    for name, expectations in expected.items():
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
        suite = context.suites.add(gx.ExpectationSuite(name, expectations=list(expectations)))
        definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
        result = definition.run(
            batch_parameters={"dataframe": tables[name]},
            result_format=_result_format(),
            run_id=RunIdentifier(run_name="delivery"),
        )
        counts["expectations"] += len(result.results)
        counts["expectations_met"] += sum(bool(one.success) for one in result.results)
    context.build_data_docs(site_names=[SITE])
    return counts


def _site(folder: Path) -> DataDocsSiteConfigTypedDict:
    return {
        "class_name": "SiteBuilder",
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())},
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }


def _result_format() -> dict[str, Any]:
    return {"result_format": "SUMMARY", "partial_unexpected_count": 20, "unexpected_index_column_names": ["product_id"]}
