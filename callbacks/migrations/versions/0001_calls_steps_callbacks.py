"""The first tables: calls, their steps, and the callbacks they ask for."""

import sqlalchemy as sa
from alembic import op

from callbacks.models import Moment

revision = "0001"
down_revision = None

_FIRST_OPEN = sa.text("linked_to IS NULL AND status IN ('queued', 'claimed')")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sid", sa.String(34), nullable=False),
        sa.Column("caller_number", sa.String(16)),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.Column("ending", sa.String(20)),
        sa.Column("last_node", sa.String(60)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calls")),
        sa.UniqueConstraint("sid", name=op.f("uq_calls_sid")),
    )
    op.create_index(op.f("ix_calls_ended_at"), "calls", ["ended_at"])
    op.create_table(
        "steps",
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("node", sa.String(60)),
        sa.Column("heard", sa.String(12)),
        sa.Column("value", sa.Text()),
        sa.Column("mode", sa.String(8)),
        sa.Column("digits", sa.String(40)),
        sa.Column("utterance", sa.Text()),
        sa.Column("confidence", sa.Double()),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_steps_call_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("call_id", "number", name=op.f("pk_steps")),
    )
    _create_callbacks()


def _create_callbacks() -> None:
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("reference", sa.String(12), nullable=False),
        sa.Column("call_id", sa.Integer()),
        sa.Column("linked_to", sa.Integer()),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(40), nullable=False),
        sa.Column("language", sa.String(8)),
        sa.Column("phone", sa.String(16)),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("requested_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("safe_message", sa.Boolean()),
        sa.Column("repeats", sa.Integer(), server_default="0", nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name=op.f("fk_callbacks_call_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["linked_to"], ["callbacks.id"], name=op.f("fk_callbacks_linked_to"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
        sa.UniqueConstraint("call_id", name=op.f("uq_callbacks_call_id")),
        sa.UniqueConstraint("public_id", name=op.f("uq_callbacks_public_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_callbacks_reference")),
    )
    op.create_index(op.f("ix_callbacks_linked_to"), "callbacks", ["linked_to"])
    op.create_index(op.f("ix_callbacks_phone"), "callbacks", ["phone"])
    op.create_index("ix_callbacks_queue", "callbacks", ["status", "urgency", "requested_at"])
    op.create_index(
        "uq_callbacks_first_open",
        "callbacks",
        ["phone"],
        unique=True,
        sqlite_where=_FIRST_OPEN,
        postgresql_where=_FIRST_OPEN,
    )


def downgrade() -> None:
    """Drop the tables."""
    for table in ("callbacks", "steps", "calls"):
        op.drop_table(table)
