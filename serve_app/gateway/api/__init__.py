"""The APIs that clients speak: paths, error shapes, schemas."""
