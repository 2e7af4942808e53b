-- Where a training begins: everything that decides its bits except the schedule.
CREATE TABLE origins (
    origin TEXT PRIMARY KEY,
    described TEXT NOT NULL, -- JSON
    checked TEXT -- how its task was checked to be reproducible; NULL: not checked
) WITHOUT ROWID;

-- A segment of updates, start..stop-1, trained once. `rows` is what each of them received, compressed.
CREATE TABLE segments (
    segment INTEGER PRIMARY KEY,
    path TEXT NOT NULL, -- the origin, and what the columns of `rows` are
    width INTEGER NOT NULL,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    begins TEXT NOT NULL, -- key of the state before update `start`
    ends TEXT NOT NULL, -- key of the state before update `stop`
    diverged INTEGER NOT NULL,
    rows BLOB NOT NULL,
    seconds REAL NOT NULL,
    UNIQUE (begins, ends)
);
CREATE INDEX segments_of_path ON segments (path);

-- The rate that an update used and its loss; a loss that is not a number is NULL.
CREATE TABLE updates (
    segment INTEGER NOT NULL REFERENCES segments,
    step INTEGER NOT NULL,
    rate REAL NOT NULL,
    loss REAL,
    PRIMARY KEY (segment, step)
) WITHOUT ROWID;

-- The metrics of a state, in their order; one that is not a number is NULL.
CREATE TABLE evaluations (
    state TEXT NOT NULL,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    value REAL,
    PRIMARY KEY (state, place)
) WITHOUT ROWID;

-- Files with states to resume from, in the order in which they were registered.
CREATE TABLE snapshots (
    snapshot INTEGER PRIMARY KEY,
    state TEXT NOT NULL UNIQUE,
    path TEXT NOT NULL,
    step INTEGER NOT NULL,
    before TEXT NOT NULL, -- the key of the state where its segment began
    digest TEXT NOT NULL,
    bytes INTEGER NOT NULL
);
CREATE INDEX snapshots_of_path ON snapshots (path);

-- The runs of the studies that used this store, and the pieces of segments that each is made of.
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    study TEXT NOT NULL, -- the folder of its results
    number INTEGER NOT NULL,
    schedule TEXT NOT NULL,
    text TEXT NOT NULL,
    horizon INTEGER NOT NULL,
    peak REAL NOT NULL,
    seed INTEGER NOT NULL,
    UNIQUE (study, number)
);
CREATE TABLE pieces (
    run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
    segment INTEGER NOT NULL REFERENCES segments,
    start INTEGER NOT NULL,
    stop INTEGER NOT NULL,
    PRIMARY KEY (run, start)
) WITHOUT ROWID;

-- Every update of every run, as if each had been trained alone.
CREATE VIEW curves AS
SELECT study, number, schedule, horizon, peak, seed, step, rate, loss
FROM runs JOIN pieces USING (run) JOIN updates USING (segment)
WHERE step >= pieces.start AND step < pieces.stop;
