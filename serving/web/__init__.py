"""The web page at `/`: find products by a photo in a browser."""
