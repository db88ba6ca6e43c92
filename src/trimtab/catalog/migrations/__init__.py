"""Migrations, run by `trimtab.catalog.migrate`."""
