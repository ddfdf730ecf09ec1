-- Items of /api/v1/data. Times are microseconds since the epoch, so that they sort and compare as numbers.
CREATE TABLE data (
    id          INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never given twice, not even after a delete
    name        TEXT    NOT NULL,
    description TEXT,
    category    TEXT    NOT NULL,
    value       REAL    NOT NULL,
    active      INTEGER NOT NULL DEFAULT 1,
    metadata    TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX data_category ON data (category);
CREATE INDEX data_created_at ON data (created_at);
