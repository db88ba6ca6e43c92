"""Whether an inspection has a word is told by an index alone."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_inspection_words_inspection_id_word", "inspection_words", ["inspection_id", "word"])
    op.drop_index("ix_inspection_words_inspection_id", table_name="inspection_words")
