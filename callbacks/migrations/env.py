"""What Alembic runs for every command; the connection and its transaction come from `callbacks.db`."""

from alembic import context

from callbacks.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    compare_server_default=True,
    # SQLite cannot alter most of a table in place; a batch copies it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
