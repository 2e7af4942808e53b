"""What was ever trained, kept by what it depends on: segments, evaluations, snapshots.

A state is found by its key (`study/chain.py`), so whatever one study has trained, every later one that passes through
the same state uses. Curves are in SQLite, snapshots in files beside it; what is damaged is reported and trained again.
"""

from glidepath.errors import SnapshotError as SnapshotError
from glidepath.errors import StoreError as StoreError

from .database import Store as Store
from .snapshots import Snapshots as Snapshots
from .snapshots import State as State
from .snapshots import StoredSnapshot as StoredSnapshot
