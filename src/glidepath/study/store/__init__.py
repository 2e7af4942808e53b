"""The store: everything that was trained, by what it depends on, as segments, evaluations and snapshots.

A state is looked up by its key (`study/sharing/state_key.py`), so every later study that passes through the same state
uses what an earlier one trained. Curves are in SQLite, snapshots in files beside it; what is damaged is reported and
trained again.
"""

from glidepath.errors import SnapshotError as SnapshotError
from glidepath.errors import StoreError as StoreError

from .database import Store as Store
from .snapshots import Snapshots as Snapshots
from .snapshots import State as State
from .snapshots import StoredSnapshot as StoredSnapshot
