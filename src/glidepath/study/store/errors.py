"""What can be wrong with a store."""

from glidepath.core.errors import GlidepathError


class StoreError(GlidepathError):
    """A store cannot be opened or written, or is not what it should be."""


class SnapshotError(GlidepathError):
    """A snapshot is not there, or not as it was written: its state is trained again."""
