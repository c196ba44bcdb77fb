"""Tokens expire and have the address of their last use; people have their previous sign-in."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from migrations.steps import UtcDateTime, add_columns

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

LIFE = timedelta(days=90)


def upgrade() -> None:
    add_columns(
        "person",
        sa.Column("previous_signed_in_at", UtcDateTime),
        sa.Column("failed_sign_ins", sa.Integer, nullable=False, server_default="0"),
    )
    add_columns(
        "api_token",
        sa.Column("expires_at", UtcDateTime),
        sa.Column("used_from", sa.String(64)),
    )
    # From now on, not from their creation: nobody's scripts stop because of the upgrade.
    tokens = sa.table("api_token", sa.column("expires_at", UtcDateTime))
    expired = tokens.c.expires_at.is_(None)
    op.execute(tokens.update().where(expired).values(expires_at=datetime.now(UTC) + LIFE))


def downgrade() -> None:
    for column in ("used_from", "expires_at"):
        op.drop_column("api_token", column)
    for column in ("failed_sign_ins", "previous_signed_in_at"):
        op.drop_column("person", column)
