"""What is kept is kept whole, and others see it."""

import math
from pathlib import Path

import pytest

from glidepath.study.curve import Record
from glidepath.study.store import Store
from glidepath.study.store.database import SegmentRange, StoredSegment

RECORDS = [Record(5, 0.1, 1.5), Record(6, 0.1, math.inf), Record(7, 0.1, math.nan)]
STRETCH = StoredSegment(0, "path", 5, 8, "begins", "ends", True, 1, b"abc")


def test_of_a_transaction_that_fails_nothing_is_kept(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        with pytest.raises(KeyboardInterrupt):
            _stopped_halfway(store)
        assert set(store.counts().values()) == {0}
        store.add_evaluations({"state": {"metric": 1.0}})
    with Store(tmp_path) as store:
        assert store.evaluation("state") == {"metric": 1.0}


def _stopped_halfway(store: Store) -> None:
    with store.transaction():
        store.add_evaluations({"state": {"metric": 1.0}})
        store.add(STRETCH, RECORDS, 1.0)
        raise KeyboardInterrupt


def test_a_segment_comes_back_as_it_went_and_is_kept_once(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        kept = store.add(STRETCH, RECORDS, 1.0)
        assert store.add(STRETCH, RECORDS, 2.0) == kept
        assert store.segments_of("path") == [kept]
        assert store.segments_of("path", after=kept.number) == store.segments_of("other") == []
        assert repr(store.records(SegmentRange(kept.number, 5, 8))) == repr(RECORDS)
        assert store.records(SegmentRange(kept.number, 6, 7)) == RECORDS[1:2]


def test_what_another_process_keeps_is_seen_and_only_that(tmp_path: Path) -> None:
    with Store(tmp_path) as store, Store(tmp_path) as other:
        store.has_changed()
        store.add_evaluations({"mine": {"metric": 1.0}})
        assert not store.has_changed()
        other.add_evaluations({"theirs": {"metric": math.nan}})
        assert (store.has_changed(), store.has_changed()) == (True, False)
        assert math.isnan(store.evaluation("theirs")["metric"])
