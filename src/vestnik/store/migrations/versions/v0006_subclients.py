"""What main accounts keep of their subclients."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing yet."""
