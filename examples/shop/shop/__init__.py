"""A small web shop: a real service for Trimtab to tune. Run it with `python -m shop`."""
