-- Items of /api/v1/data. Times are microseconds since the epoch, so that they sort and compare as numbers.
-- Texts sort and compare by their bytes whatever the server's locale, as they do in SQLite.
CREATE TABLE data (
    id          BIGINT           GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- an id is never given twice
    name        TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    category    TEXT COLLATE "C" NOT NULL,
    value       DOUBLE PRECISION NOT NULL,
    active      BOOLEAN          NOT NULL DEFAULT TRUE,
    metadata    TEXT             CHECK (metadata IS NULL OR metadata::json IS NOT NULL),
    created_at  BIGINT           NOT NULL,
    updated_at  BIGINT           NOT NULL
);
CREATE INDEX data_category ON data (category);
CREATE INDEX data_created_at ON data (created_at);
