"""What the champion says of the products that only the challenger was trained on."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.catalog.products import Catalogue
from lookalike.embedders.model_folder import CHECKPOINT
from lookalike.embedders.protocol import Embedder, ModelIdentity
from lookalike.evaluation.embedding import embed_photos
from lookalike.evaluation.new_products import Looks, suspect
from lookalike.evaluation.queries import main_photos
from lookalike.evaluation.settings import EvaluationSettings
from lookalike.training.trained import TRAINED, read_trained


def delivery_alarms(
    checkpoint: Path,
    champion: Path | None,
    catalogue: Catalogue,
    embedders: Mapping[str, Embedder],
    settings: EvaluationSettings,
) -> tuple[str, ...]:
    """Why a person must look at the new products; nothing where either model does not say what it was trained on."""
    if champion is None or not all((each / TRAINED).is_file() for each in (checkpoint, champion / CHECKPOINT)):
        return ()
    ours, theirs = (set(read_trained(each)["product_id"]) for each in (checkpoint, champion / CHECKPOINT))
    ids = catalogue.products["product_id"]
    new, known = (_drawn(ids.isin(each).to_numpy(bool), settings) for each in (ours - theirs, ours & theirs))
    if len(new) < settings.suspicion.fewest or not len(known):
        return ()
    ours_look, usual = (looks_of(embedders["champion"], catalogue, rows, settings.batch) for rows in (new, known))
    return suspect(ours_look, usual, settings.suspicion).alarms


def looks_of(embedder: Embedder, catalogue: Catalogue, rows: NDArray[np.int64], batch: int) -> Looks:
    """What a model says of products, by their main photos."""
    photos = main_photos(catalogue, rows)
    seen = embed_photos(embedder, photos.contents, batch, "embedding new and known products")
    return Looks(seen.vectors, seen.attributes, claimed_places(catalogue, photos.products, embedder.identity))


def claimed_places(
    catalogue: Catalogue, rows: NDArray[np.int64], identity: ModelIdentity
) -> dict[str, NDArray[np.int64]]:
    """Per attribute of the model the place of each product's own value among the head's labels, -1 for none."""
    codes, places = catalogue.attribute_codes()[rows], {}
    for name, labels in identity.attribute_labels.items():
        if name not in catalogue.attributes:
            places[name] = np.full(len(rows), -1)  # the mapping has dropped it since
            continue
        at = {label: place for place, label in enumerate(labels)}
        known = np.array([at.get(value, -1) for value in catalogue.attribute_values(name)] + [-1])
        places[name] = known[codes[:, catalogue.attributes.index(name)]]  # a code of -1 takes the last
    return places


def _drawn(chosen: NDArray[np.bool_], settings: EvaluationSettings) -> NDArray[np.int64]:
    rows = np.flatnonzero(chosen)
    return np.sort(np.random.default_rng(settings.seed).permutation(rows)[: settings.suspicion.most])
