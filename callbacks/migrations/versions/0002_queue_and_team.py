"""The team and how it works the queue: agents, sessions, claims, events, the access log."""

import sqlalchemy as sa
from alembic import op

from callbacks.models import Moment

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables and widen the callbacks."""
    _create_team()
    _create_accesses()
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("callback_id", sa.Integer(), nullable=False),
        sa.Column("agent_id", sa.Integer()),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("what", sa.String(30), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_events_agent_id")),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_events_callback_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_callback_id"), "events", ["callback_id"])
    _widen_callbacks()


def _create_team() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(100), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("totp_secret", sa.String(64)),
        sa.Column("totp_step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("recovery_codes", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("phone", sa.String(16)),
        sa.Column("locale", sa.String(8), server_default="nl", nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("disabled_at", Moment()),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agents")),
        sa.UniqueConstraint("login", name=op.f("uq_agents_login")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("has_second_factor", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("browser", sa.String(100), nullable=False),
        sa.Column("revoked_at", Moment()),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_sessions_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_agent_id"), "sessions", ["agent_id"])
    op.create_table(
        "throttles",
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("window_started_at", Moment(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_throttles")),
    )


def _create_accesses() -> None:
    op.create_table(
        "accesses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("agent_id", sa.Integer()),
        sa.Column("action", sa.String(30), nullable=False),
        sa.Column("callback_id", sa.Integer()),
        sa.Column("count", sa.Integer()),
        sa.ForeignKeyConstraint(["agent_id"], ["agents.id"], name=op.f("fk_accesses_agent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accesses")),
    )
    op.create_index(op.f("ix_accesses_at"), "accesses", ["at"])
    op.create_index(op.f("ix_accesses_callback_id"), "accesses", ["callback_id"])


def _widen_callbacks() -> None:
    with op.batch_alter_table("callbacks") as table:
        table.add_column(sa.Column("need", sa.String(20)))
        table.add_column(sa.Column("who", sa.String(20)))
        table.add_column(sa.Column("was_refused", sa.Boolean()))
        table.add_column(sa.Column("region", sa.String(20)))
        table.add_column(sa.Column("part_of_day", sa.String(20)))
        table.add_column(sa.Column("callback_language", sa.String(100)))
        table.add_column(sa.Column("claimed_by", sa.Integer()))
        table.add_column(sa.Column("claim_ends_at", Moment()))
        table.add_column(sa.Column("attempts", sa.Integer(), server_default="0", nullable=False))
        table.add_column(sa.Column("not_before", Moment()))
        table.add_column(sa.Column("needs_coordinator", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.add_column(sa.Column("disposition", sa.String(30)))
        table.add_column(sa.Column("closed_at", Moment()))
        table.create_index(op.f("ix_callbacks_claimed_by"), ["claimed_by"])
        table.create_foreign_key(op.f("fk_callbacks_claimed_by"), "agents", ["claimed_by"], ["id"])


def downgrade() -> None:
    """Drop what was made."""
    with op.batch_alter_table("callbacks") as table:
        table.drop_constraint(op.f("fk_callbacks_claimed_by"), type_="foreignkey")
        table.drop_index(op.f("ix_callbacks_claimed_by"))
        for column in (
            "closed_at", "disposition", "needs_coordinator", "not_before", "attempts", "claim_ends_at", "claimed_by",
            "callback_language", "part_of_day", "region", "was_refused", "who", "need",
        ):  # fmt: skip
            table.drop_column(column)
    for name in ("events", "accesses", "throttles", "sessions", "agents"):
        op.drop_table(name)
