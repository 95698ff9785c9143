-- The knowledge base. Rows of a version belong to it by `version_row` and go with it.
-- Only versions in state 'current' are ever read by searches and listings.

CREATE TABLE documents (
    document_id  BLOB PRIMARY KEY,
    last_version INTEGER NOT NULL
) WITHOUT ROWID;

-- The highest fence that began an attempt at a document in a job.
CREATE TABLE fences (
    document_id BLOB NOT NULL REFERENCES documents ON DELETE CASCADE,
    job_id      BLOB NOT NULL,
    fence       INTEGER NOT NULL,
    PRIMARY KEY (document_id, job_id)
) WITHOUT ROWID;

CREATE TABLE versions (
    version_row      INTEGER PRIMARY KEY AUTOINCREMENT,
    document_id      BLOB NOT NULL REFERENCES documents ON DELETE CASCADE,
    version          INTEGER NOT NULL,
    collection       TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('staged', 'current')),
    job_id           BLOB NOT NULL,
    fence            INTEGER NOT NULL,
    -- microseconds since 1970; set by the switch, as everything below
    trained_at       INTEGER,
    pipeline_version INTEGER,
    sha256           TEXT,
    name             TEXT,
    path             TEXT,
    location         TEXT,
    outcome          TEXT,
    family           TEXT,
    subtype          TEXT,
    category         TEXT,
    designation      TEXT,
    designation_key  TEXT,
    norm_id          TEXT,
    norm_key         TEXT,
    title            TEXT,
    status           TEXT,
    pages            INTEGER,
    -- 0 where page numbers are not those of a print: citations leave them out
    paginated        INTEGER NOT NULL DEFAULT 1,
    chunks           INTEGER,
    quality          INTEGER,
    UNIQUE (document_id, version)
);
CREATE UNIQUE INDEX one_current_version ON versions (document_id) WHERE state = 'current';
-- Decides which of two documents with equal bytes is the duplicate.
CREATE UNIQUE INDEX one_document_per_content
    ON versions (collection, sha256, pipeline_version) WHERE state = 'current';
CREATE INDEX versions_by_norm ON versions (norm_key) WHERE state = 'current';
CREATE INDEX versions_by_designation ON versions (designation_key) WHERE state = 'current';
CREATE INDEX versions_by_job ON versions (job_id) WHERE state = 'staged';

CREATE TABLE chunks (
    -- never used twice: it is the rowid of the word index and the key of vectors in memory
    chunk_row   INTEGER PRIMARY KEY AUTOINCREMENT,
    version_row INTEGER NOT NULL REFERENCES versions ON DELETE CASCADE,
    ordinal     INTEGER NOT NULL,
    chunk_id    BLOB NOT NULL,
    kind        TEXT NOT NULL,
    address     TEXT NOT NULL,
    address_key TEXT NOT NULL,
    path        TEXT NOT NULL,
    first_page  INTEGER NOT NULL,
    last_page   INTEGER NOT NULL,
    text        TEXT NOT NULL CHECK (text <> ''),
    cells       TEXT,
    caption     TEXT,
    cited       TEXT NOT NULL,
    UNIQUE (version_row, ordinal),
    UNIQUE (chunk_id)
);
CREATE INDEX chunks_by_address ON chunks (version_row, address_key);

-- Stems, made in Rust; the text itself is in `chunks`.
CREATE VIRTUAL TABLE words USING fts5 (
    heading, body, content = '', contentless_delete = 1,
    tokenize = "unicode61 remove_diacritics 0 tokenchars '.-/_'"
);

CREATE TABLE models (
    model_row INTEGER PRIMARY KEY,
    model     TEXT NOT NULL UNIQUE
);

CREATE TABLE vectors (
    chunk_row   INTEGER PRIMARY KEY REFERENCES chunks ON DELETE CASCADE,
    version_row INTEGER NOT NULL,
    model_row   INTEGER NOT NULL REFERENCES models,
    scale       REAL NOT NULL CHECK (scale > 0),
    steps       BLOB NOT NULL
);
CREATE INDEX vectors_by_version ON vectors (version_row);

CREATE TABLE embeddings (
    model_row INTEGER NOT NULL REFERENCES models,
    text_hash BLOB NOT NULL,
    scale     REAL NOT NULL,
    steps     BLOB NOT NULL,
    PRIMARY KEY (model_row, text_hash)
) WITHOUT ROWID;

CREATE TABLE works (
    version_row   INTEGER NOT NULL REFERENCES versions ON DELETE CASCADE,
    ordinal       INTEGER NOT NULL,
    work_id       TEXT NOT NULL,
    name          TEXT NOT NULL,
    first_page    INTEGER NOT NULL,
    last_page     INTEGER NOT NULL,
    section       TEXT,
    duration_days REAL,
    properties    TEXT NOT NULL,
    PRIMARY KEY (version_row, ordinal),
    UNIQUE (version_row, work_id)
) WITHOUT ROWID;

CREATE TABLE edges (
    version_row INTEGER NOT NULL REFERENCES versions ON DELETE CASCADE,
    ordinal     INTEGER NOT NULL,
    earlier     TEXT NOT NULL,
    later       TEXT NOT NULL,
    evidence    TEXT NOT NULL,
    first_page  INTEGER NOT NULL,
    last_page   INTEGER NOT NULL,
    PRIMARY KEY (version_row, ordinal),
    FOREIGN KEY (version_row, earlier) REFERENCES works (version_row, work_id),
    FOREIGN KEY (version_row, later) REFERENCES works (version_row, work_id)
) WITHOUT ROWID;

-- A norm that nobody cites and nobody trained has no row anywhere: the registry is a query.
CREATE TABLE citations (
    version_row INTEGER NOT NULL REFERENCES versions ON DELETE CASCADE,
    ordinal     INTEGER NOT NULL,
    norm_id     TEXT NOT NULL,
    norm_key    TEXT NOT NULL,
    text        TEXT NOT NULL,
    edition     TEXT,
    clause      TEXT,
    pages       TEXT NOT NULL,
    count       INTEGER NOT NULL,
    PRIMARY KEY (version_row, ordinal)
) WITHOUT ROWID;
CREATE INDEX citations_by_norm ON citations (norm_key);

CREATE TABLE replacements (
    version_row INTEGER NOT NULL REFERENCES versions ON DELETE CASCADE,
    norm_id     TEXT NOT NULL,
    norm_key    TEXT NOT NULL,
    PRIMARY KEY (version_row, norm_key)
) WITHOUT ROWID;
CREATE INDEX replacements_by_norm ON replacements (norm_key);

CREATE TABLE artifacts (
    version_row INTEGER NOT NULL REFERENCES versions ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    content     TEXT NOT NULL,
    PRIMARY KEY (version_row, kind)
) WITHOUT ROWID;

CREATE TABLE positions (
    version_row INTEGER NOT NULL REFERENCES versions ON DELETE CASCADE,
    ordinal     INTEGER NOT NULL,
    code        TEXT NOT NULL,
    position    TEXT NOT NULL,
    PRIMARY KEY (version_row, ordinal)
) WITHOUT ROWID;
CREATE INDEX positions_by_code ON positions (code) WHERE code <> '';

CREATE TABLE job_documents (
    job_id      BLOB NOT NULL,
    number      INTEGER NOT NULL,
    document_id BLOB NOT NULL,
    outcome     TEXT,
    fence       INTEGER NOT NULL,
    document    TEXT NOT NULL,
    report      TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
) WITHOUT ROWID;
CREATE INDEX job_documents_by_id ON job_documents (job_id, document_id);

CREATE TABLE remembered (
    sha256           TEXT NOT NULL,
    pipeline_version INTEGER NOT NULL,
    fingerprint      TEXT NOT NULL,
    outcome          TEXT NOT NULL,
    code             TEXT,
    message          TEXT,
    stage            TEXT NOT NULL,
    PRIMARY KEY (sha256, pipeline_version, fingerprint)
) WITHOUT ROWID;

-- What became visible and what went away, for the vectors that processes keep in memory.
CREATE TABLE changes (
    generation  INTEGER PRIMARY KEY AUTOINCREMENT,
    version_row INTEGER NOT NULL,
    added       INTEGER NOT NULL
);
