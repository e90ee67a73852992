"""What is known of batches, and what their lines were answered."""

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, String, Table
from sqlalchemy import Text as LongText

from serve_app.data.database import metadata

batch_jobs = Table(
    "data_batches",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("owner", String(300), nullable=False, index=True),
    Column("caller", JSON, nullable=False),  # on whose behalf it runs
    Column("endpoint", String(64), nullable=False),
    Column("input_file_id", String(64), nullable=False),
    Column("output_file_id", String(64)),
    Column("error_file_id", String(64)),
    Column("metadata", JSON, nullable=False),
    Column("status", String(16), nullable=False),
    Column("times", JSON, nullable=False),  # status -> when it began, in seconds
    Column("errors", JSON, nullable=False),
    Column("total", Integer, nullable=False),
    Column("expires_ms", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("moved_ms", BigInteger, nullable=False),  # when a line was last answered
    Column("lease", String(32)),
    Column("lease_ms", BigInteger, nullable=False),
    Index("data_batches_work", "status", "lease_ms"),
)

# Its key is what keeps a line from being answered twice.
batch_lines = Table(
    "data_batch_lines",
    metadata,
    Column("batch_id", String(64), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("succeeded", Integer, nullable=False),
    Column("result", LongText, nullable=False),  # the line of the output or error file
)
