"""A long queue as fast as a short one: its order and its due times as indexes, and a tally that triggers keep.

A later migration that copies the table of callbacks (`batch_alter_table` on SQLite does) loses the triggers there: it
has to call `make_triggers` again. A test counts.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_OPEN = sa.text("status IN ('queued', 'claimed')")
_CLAIMED = sa.text("status = 'claimed'")


def upgrade() -> None:
    """Make the indexes and the tally, and count what is open already."""
    for name, columns in (("ix_callbacks_open", ["urgency", "requested_at", "id"]), ("ix_callbacks_due", ["due_at"])):
        op.create_index(name, "callbacks", columns, sqlite_where=_OPEN, postgresql_where=_OPEN)
    op.create_index(
        "ix_callbacks_claims", "callbacks", ["claim_ends_at"], sqlite_where=_CLAIMED, postgresql_where=_CLAIMED
    )
    op.drop_index("ix_callbacks_queue", "callbacks")
    op.create_index(op.f("ix_calls_caller_number"), "calls", ["caller_number"])
    op.create_table(
        "tallies",
        sa.Column("urgency", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("due_hour", sa.String(13), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("urgency", "due_hour", name=op.f("pk_tallies")),
    )
    hour = _hour("due_at")
    op.execute(
        f"INSERT INTO tallies (urgency, due_hour, open) SELECT urgency, {hour}, count(*) FROM callbacks "  # noqa: S608
        f"WHERE status IN ('queued', 'claimed') GROUP BY urgency, {hour}"
    )
    make_triggers()


def make_triggers() -> None:
    """Keep the tally from now on, whoever writes."""
    for statement in _POSTGRES if _is_postgres() else _SQLITE:
        op.execute(statement)


def _is_postgres() -> bool:
    return op.get_bind().dialect.name == "postgresql"


def _hour(moment: str) -> str:
    return f"to_char({moment}, 'YYYY-MM-DD HH24')" if _is_postgres() else f"substr({moment}, 1, 13)"


_COUNT = """
INSERT INTO tallies (urgency, due_hour, open) VALUES (NEW.urgency, {new}, 1)
ON CONFLICT (urgency, due_hour) DO UPDATE SET open = tallies.open + 1;
"""
_TAKE_BACK = """
UPDATE tallies SET open = open - 1 WHERE urgency = OLD.urgency AND due_hour = {old};
DELETE FROM tallies WHERE urgency = OLD.urgency AND due_hour = {old} AND open = 0;
"""
_WAS_OPEN, _IS_OPEN = "OLD.status IN ('queued', 'claimed')", "NEW.status IN ('queued', 'claimed')"
_OTHERWISE_COUNTED = f"({_WAS_OPEN}) <> ({_IS_OPEN}) OR NEW.urgency <> OLD.urgency OR NEW.due_at <> OLD.due_at"

_HOURS = {"new": "substr(NEW.due_at, 1, 13)", "old": "substr(OLD.due_at, 1, 13)"}
_SQLITE = (
    f"CREATE TRIGGER callbacks_counted AFTER INSERT ON callbacks WHEN {_IS_OPEN} BEGIN {_COUNT.format(**_HOURS)} END",
    (
        f"CREATE TRIGGER callbacks_uncounted AFTER DELETE ON callbacks WHEN {_WAS_OPEN} "
        f"BEGIN {_TAKE_BACK.format(**_HOURS)} END"
    ),
    # Two triggers, because one has no conditions inside; the order in which they fire does not matter.
    (
        f"CREATE TRIGGER callbacks_no_longer_so AFTER UPDATE OF status, urgency, due_at ON callbacks "
        f"WHEN {_WAS_OPEN} AND ({_OTHERWISE_COUNTED}) BEGIN {_TAKE_BACK.format(**_HOURS)} END"
    ),
    (
        f"CREATE TRIGGER callbacks_so_from_now AFTER UPDATE OF status, urgency, due_at ON callbacks "
        f"WHEN {_IS_OPEN} AND ({_OTHERWISE_COUNTED}) BEGIN {_COUNT.format(**_HOURS)} END"
    ),
)

_PG_HOURS = {
    "new": "to_char(NEW.due_at, 'YYYY-MM-DD HH24')",
    "old": "to_char(OLD.due_at, 'YYYY-MM-DD HH24')",
}
_POSTGRES = (
    f"""
    CREATE FUNCTION tally_callbacks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN IF {_WAS_OPEN} THEN {_TAKE_BACK.format(**_PG_HOURS)} END IF; END IF;
        IF TG_OP <> 'DELETE' THEN IF {_IS_OPEN} THEN {_COUNT.format(**_PG_HOURS)} END IF; END IF;
        RETURN NULL;
    END $$
    """,
    (
        "CREATE TRIGGER callbacks_counted AFTER INSERT OR DELETE ON callbacks "
        "FOR EACH ROW EXECUTE FUNCTION tally_callbacks()"
    ),
    (
        "CREATE TRIGGER callbacks_recounted AFTER UPDATE OF status, urgency, due_at ON callbacks FOR EACH ROW "
        f"WHEN ({_OTHERWISE_COUNTED}) EXECUTE FUNCTION tally_callbacks()"
    ),
)


def downgrade() -> None:
    """Drop what was made."""
    if _is_postgres():
        op.execute("DROP FUNCTION tally_callbacks CASCADE")
    else:
        for trigger in ("counted", "uncounted", "no_longer_so", "so_from_now"):
            op.execute(f"DROP TRIGGER callbacks_{trigger}")
    op.drop_table("tallies")
    op.drop_index(op.f("ix_calls_caller_number"), "calls")
    op.create_index("ix_callbacks_queue", "callbacks", ["status", "urgency", "requested_at"])
    for name in ("ix_callbacks_claims", "ix_callbacks_due", "ix_callbacks_open"):
        op.drop_index(name, "callbacks")
