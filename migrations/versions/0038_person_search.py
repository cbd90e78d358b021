"""Adds to names how the search compares them, with an index; drops the index of lessons' words.

The words of published texts leave: each process indexes the published versions itself.
"""

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None
needs_stop = True
seconds_per_million_rows = {
    "sqlite": {"person_name": 25.0},
    "postgresql": {"person_name": 350.0},
}

WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BATCH = 5_000

WRITTEN_OUT = {"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ı": "i"}
FOLDED = str.maketrans({**WRITTEN_OUT, **dict.fromkeys("'’‘ʼ`´", "")})

# SQLite: an index of all runs of three letters beside the table, kept true by triggers.
SQLITE = (
    "CREATE VIRTUAL TABLE person_search USING fts5(folded, content='person_name', content_rowid='person_id',"
    " tokenize='trigram case_sensitive 1')",
    "INSERT INTO person_search(person_search) VALUES ('rebuild')",
    "CREATE TRIGGER person_search_added AFTER INSERT ON person_name BEGIN"
    " INSERT INTO person_search(rowid, folded) VALUES (new.person_id, new.folded); END",
    "CREATE TRIGGER person_search_removed AFTER DELETE ON person_name BEGIN"
    " INSERT INTO person_search(person_search, rowid, folded) VALUES ('delete', old.person_id, old.folded); END",
    "CREATE TRIGGER person_search_changed AFTER UPDATE OF folded ON person_name BEGIN"
    " INSERT INTO person_search(person_search, rowid, folded) VALUES ('delete', old.person_id, old.folded);"
    " INSERT INTO person_search(rowid, folded) VALUES (new.person_id, new.folded); END",
)
SQLITE_UNDO = (
    "DROP TRIGGER person_search_added",
    "DROP TRIGGER person_search_removed",
    "DROP TRIGGER person_search_changed",
    "DROP TABLE person_search",
)
# PostgreSQL: the function of 0026, over the names as they are compared.
INDEX = "CREATE INDEX ix_person_name_parts ON person_name USING gin (parts_of_name({}))"
AS_WRITTEN = "lower(surname || ' ' || forenames || ' ' || staff_number)"

LESSON_WORDS = (  # as in 0026
    "CREATE VIRTUAL TABLE search_words USING fts5(title, words, content='search_entry', content_rowid='id',"
    " tokenize='porter unicode61')",
    "CREATE TRIGGER search_entry_added AFTER INSERT ON search_entry BEGIN"
    " INSERT INTO search_words(rowid, title, words) VALUES (new.id, new.title, new.words); END",
    "CREATE TRIGGER search_entry_removed AFTER DELETE ON search_entry BEGIN"
    " INSERT INTO search_words(search_words, rowid, title, words)"
    " VALUES ('delete', old.id, old.title, old.words); END",
)
LESSON_INDEX = (
    "CREATE INDEX ix_search_entry_words ON search_entry USING gin ("
    "(setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', words), 'B')))",
)


def fold(text: str) -> str:
    """The text in small letters without accents and apostrophes."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(FOLDED))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def upgrade() -> None:
    """Apply."""
    op.add_column("person_name", sa.Column("folded", WORDS, nullable=False, server_default=""))
    _fold_names()
    if _is_sqlite():
        op.execute("DROP TABLE search_words")
    else:
        op.execute("DROP INDEX ix_person_name_parts")
    op.drop_table("search_entry")
    for statement in SQLITE if _is_sqlite() else (INDEX.format("folded"), "ANALYZE person_name"):
        op.execute(statement)


def downgrade() -> None:
    """Undo; a search of an older release finds lessons after the next publishing."""
    for statement in SQLITE_UNDO if _is_sqlite() else ("DROP INDEX ix_person_name_parts",):
        op.execute(statement)
    op.drop_column("person_name", "folded")
    if not _is_sqlite():
        op.execute(INDEX.format(AS_WRITTEN))
    op.create_table(
        "search_entry",
        sa.Column("id", ID, nullable=False),
        sa.Column("activity_id", ID, nullable=False),
        sa.Column("address", WORDS, nullable=False),
        sa.Column("title", WORDS, nullable=False),
        sa.Column("above", WORDS, nullable=False),
        sa.Column("words", WORDS, nullable=False),
        sa.ForeignKeyConstraint(["activity_id"], ["activity.id"], name=op.f("fk_search_entry_activity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_entry")),
    )
    op.create_index(op.f("ix_search_entry_activity_id"), "search_entry", ["activity_id"], unique=False)
    for statement in LESSON_WORDS if _is_sqlite() else LESSON_INDEX:
        op.execute(statement)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _fold_names() -> None:
    bind, last = op.get_bind(), 0
    names = sa.text(
        "SELECT person_id, surname, forenames, staff_number FROM person_name"
        " WHERE person_id > :last ORDER BY person_id LIMIT :batch"
    )
    update = sa.text("UPDATE person_name SET folded = :folded WHERE person_id = :person_id")
    while rows := bind.execute(names, {"last": last, "batch": BATCH}).all():
        bind.execute(update, [{"person_id": row[0], "folded": fold(" ".join(row[1:]))} for row in rows])
        last = rows[-1][0]
