-- Users of /users and /api/users. Name and email are lifted out of what a client sent; the rest is kept as JSON.
CREATE TABLE users (
    id          BIGINT           GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- an id is never given twice
    name        TEXT COLLATE "C",
    email       TEXT COLLATE "C",
    rest        TEXT             NOT NULL DEFAULT '{}' CHECK (rest::json IS NOT NULL),
    created_at  BIGINT           NOT NULL,
    welcomed_at BIGINT
);
