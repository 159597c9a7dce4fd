"""Calling back through the line, and telling the team by e-mail: a row before anything is asked of somebody else."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_LIVE = sa.text("ended_at IS NULL")
_UNSENT = sa.text("sent_at IS NULL")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "outgoing_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("public_id", sa.String(32), nullable=False),
        sa.Column("callback_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("provider_sid", sa.String(34)),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("overridden", sa.JSON(), nullable=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("changed_at", sa.DateTime(), nullable=False),
        sa.Column("connected_at", sa.DateTime()),
        sa.Column("ended_at", sa.DateTime()),
        sa.Column("error", sa.String(40)),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_outgoing_calls_callback_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_outgoing_calls_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_calls")),
        sa.UniqueConstraint("public_id", name=op.f("uq_outgoing_calls_public_id")),
        sa.UniqueConstraint("provider_sid", name=op.f("uq_outgoing_calls_provider_sid")),
    )
    for column in ("callback_id", "agent_id"):
        op.create_index(op.f(f"ix_outgoing_calls_{column}"), "outgoing_calls", [column])
    for name, column in (("uq_outgoing_calls_callback", "callback_id"), ("uq_outgoing_calls_agent", "agent_id")):
        op.create_index(name, "outgoing_calls", [column], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_table(
        "notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("leased_until", sa.DateTime()),
        sa.Column("sent_at", sa.DateTime()),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_notices_callback_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index("uq_notices_callback_id_kind", "notices", ["callback_id", "kind"], unique=True)
    op.create_index("ix_notices_unsent", "notices", ["id"], sqlite_where=_UNSENT, postgresql_where=_UNSENT)


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("notices")
    op.drop_table("outgoing_calls")
