"""A client of the search service: `SearchClient(url).search(Path("shoe.jpg"))`."""

from lookalike.client.answers import Answer, Hit, Product
from lookalike.client.client import SearchClient

__all__ = ["Answer", "Hit", "Product", "SearchClient"]
