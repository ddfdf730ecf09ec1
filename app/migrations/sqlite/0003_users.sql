-- Users of /users and /api/users. Name and email are lifted out of what a client sent; the rest is kept as JSON.
CREATE TABLE users (
    id          INTEGER PRIMARY KEY AUTOINCREMENT, -- an id is never given twice, not even after a delete
    name        TEXT,
    email       TEXT,
    rest        TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(rest)),
    created_at  INTEGER NOT NULL,
    welcomed_at INTEGER
) STRICT;
