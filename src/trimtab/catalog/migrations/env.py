"""How Alembic reaches the database: through the connection, and inside the transaction, of `trimtab.catalog.migrate`."""

from alembic import context

from trimtab.catalog.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite cannot alter most of a table in place
    transactional_ddl=True,
)
context.run_migrations()
