"""What Feast serves: a product entity, and a view and a service for every release found beside this file.

`lookalike features` copies this folder into a shop's feature store and adds a table per release to `sources/`;
`feast apply` works in either place.
"""

from pathlib import Path

from lookalike.features.definitions import product_entity, release_definitions

product = product_entity()

# Feast collects the attributes of a module, and only the files beside it say how many releases there are.
globals().update(release_definitions(Path(__file__).parent))
