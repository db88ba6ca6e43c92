"""Tables of inspections. Rows are derived from documents, and can be rebuilt from them.

    inspections ─┬─ specifications      what was asked for, whole
                 ├─ submissions         what is in the queue, or under way from there
                 ├─ inspection_words    by which an inspection is found
                 ├─ runs ─┬─ hardware      one row for each kind of machine
                 │        └─ environments  one for each operating system and Python
                 └─ stacks ─ stack_packages ─ packages     one for each lock, one for each package in any lock

What many inspections share is stored once: a campaign has thousands of stacks of the same few hundred packages.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from trimtab.catalog.metadata import Document, Name, metadata

__all__ = [
    "environments",
    "hardware",
    "inspection_words",
    "inspections",
    "packages",
    "runs",
    "specifications",
    "stack_packages",
    "stacks",
    "submissions",
]

LONGEST = 200  # characters that an inspection's id has at most
ID = Name(LONGEST)

packages = Table(
    "packages",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False),  # as PEP 503 normalises it
    Column("version", String(100), nullable=False),
    Column(
        "source", String(500), nullable=False
    ),  # the index that the lock names; "pypi" where it names none
    UniqueConstraint("name", "version", "source", name="uq_packages_name"),
)

stacks = Table(
    "stacks",
    metadata,
    Column("id", Integer, primary_key=True),
    Column(
        "digest", String(64), nullable=False
    ),  # SHA-256 of the packages, whatever file they were locked in
    Column("packages", Integer, nullable=False),
    UniqueConstraint("digest", name="uq_stacks_digest"),
)

stack_packages = Table(
    "stack_packages",
    metadata,
    Column("stack_id", Integer, ForeignKey("stacks.id", ondelete="CASCADE"), primary_key=True),
    Column("package_id", Integer, ForeignKey("packages.id"), primary_key=True),
    Index("ix_stack_packages_package_id_stack_id", "package_id", "stack_id"),
)

hardware = Table(
    "hardware",
    metadata,
    Column("digest", String(64), primary_key=True),  # of what tells one kind of machine from another
    Column("brand", String(200)),
    Column("vendor", String(100)),
    Column("family", Integer),
    Column("model", Integer),
    Column("ncpus", Integer),
    Column("memory", BigInteger),
    Column("document", Document, nullable=False),  # of the first run on it
)

environments = Table(
    "environments",
    metadata,
    Column("id", Integer, primary_key=True),
    # Empty where it is not known: in a unique constraint NULL would be different each time.
    Column("os_name", String(100), nullable=False),
    Column("os_version", String(100), nullable=False),
    Column("python_version", String(50), nullable=False),
    Column("cuda_version", String(50), nullable=False),
    UniqueConstraint(
        "os_name", "os_version", "python_version", "cuda_version", name="uq_environments_os_name"
    ),
)

inspections = Table(
    "inspections",
    metadata,
    Column("id", ID, primary_key=True),
    Column("identifier", String(LONGEST)),
    Column("owner", String(200), nullable=False),  # empty: nobody's, as on a machine of one's own
    Column("state", String(16), nullable=False),
    Column("base", String(500), nullable=False),
    Column("batch_size", Integer, nullable=False),
    Column("specification_digest", String(64), nullable=False),
    Column("stack_id", Integer, ForeignKey("stacks.id")),
    Column("engine", String(64)),
    Column("build", Document),
    Column("failure_class", String(32)),
    Column("failure_reason", Text),
    Column("idempotency", String(200)),
    # How somebody wishes it to end, before it does: `cancelled`, `expired`. It is not begun any more then.
    Column("ending", String(16)),
    Column("created_at", Double, nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    # A list is a walk along one of these, in the order it is shown; the id tells those of one moment apart.
    Index("ix_inspections_created_at_id", "created_at", "id"),
    Index("ix_inspections_state_created_at_id", "state", "created_at", "id"),
    Index("ix_inspections_base_created_at_id", "base", "created_at", "id"),
    Index("ix_inspections_owner_created_at_id", "owner", "created_at", "id"),
    Index("ix_inspections_owner_id", "owner", "id"),
    Index("ix_inspections_stack_id", "stack_id"),
)
# Whoever asks twice with the same key asks once.
Index(
    "ux_inspections_idempotency",
    inspections.c.owner,
    inspections.c.idempotency,
    unique=True,
    sqlite_where=inspections.c.idempotency.is_not(None),
    postgresql_where=inspections.c.idempotency.is_not(None),
)


def _inspection_id() -> Column[str]:
    return Column("inspection_id", ID, ForeignKey("inspections.id", ondelete="CASCADE"), primary_key=True)


specifications = Table(
    "specifications", metadata, _inspection_id(), Column("document", Document, nullable=False)
)

submissions = Table(
    "submissions",
    metadata,
    _inspection_id(),
    Column("deployment", String(LONGEST), nullable=False),
    Column("document", Document, nullable=False),
)

inspection_words = Table(
    "inspection_words",
    metadata,
    Column("word", ID, primary_key=True),
    _inspection_id(),
    Index("ix_inspection_words_inspection_id_word", "inspection_id", "word"),
)

runs = Table(
    "runs",
    metadata,
    _inspection_id(),
    Column("item", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("exit_code", Integer),
    Column("signal", Integer),
    Column("timed_out", Boolean(create_constraint=False), nullable=False),
    Column("oom_killed", Boolean(create_constraint=False), nullable=False),
    Column("started_at", Double),
    Column("ended_at", Double),
    Column("duration", Double),  # seconds
    Column("utime", Double),  # seconds
    Column("stime", Double),  # seconds
    Column("max_rss", BigInteger),  # bytes of the largest process
    Column("memory_peak", BigInteger),  # bytes of all of them together, where a control group tells
    Column("usage", Document),  # all of the figures, by the names of the result
    Column("indicator", String(100)),  # what the script calls itself, and what it measured
    Column("component", String(100)),
    Column("elapsed", Double),
    Column("rate", Double),
    Column("score", Double),
    Column("script_sha256", String(64)),
    Column("hardware_digest", String(64), ForeignKey("hardware.digest")),
    Column("environment_id", Integer, ForeignKey("environments.id")),
    Column("failure_class", String(32)),
    Column("failure_reason", Text),
    # What the inspection's report will say of it; until then whoever takes over finds it here, on any machine.
    Column("report", Document),
    Index("ix_runs_hardware_digest_inspection_id", "hardware_digest", "inspection_id"),
    Index("ix_runs_environment_id", "environment_id"),
)
