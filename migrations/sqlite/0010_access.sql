-- Who may do what, and what was changed. The twin for PostgreSQL stands in ../postgres; both mean the same.

-- One row: this installation, by whose uuid tokens are told from those of a copy. administrator_since is written once, by whoever makes the
-- first owner; from then on nobody gets in without an account.
CREATE TABLE installation (
    id                  INTEGER PRIMARY KEY CHECK (id = 1),
    uuid                BLOB NOT NULL CHECK (length(uuid) = 16),
    administrator_since TEXT
) STRICT;

CREATE TABLE users (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid                BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    business_id         INTEGER NOT NULL REFERENCES businesses (id),
    identifier          TEXT NOT NULL UNIQUE CHECK (identifier <> ''), -- the e-mail address, in lower case
    name                TEXT NOT NULL DEFAULT '',
    role                TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin', 'owner')),
    language_preference TEXT,
    password_hash       TEXT NOT NULL, -- Argon2id in PHC form
    password_changed_at TEXT NOT NULL,
    disabled_at         TEXT,
    created_at          TEXT NOT NULL,
    updated_at          TEXT NOT NULL,
    UNIQUE (business_id, id)
) STRICT;

CREATE TABLE sessions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid         BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16), -- random: its tokens carry it
    business_id  INTEGER NOT NULL REFERENCES businesses (id),
    user_id      INTEGER NOT NULL,
    generation   INTEGER NOT NULL CHECK (generation >= 0), -- only the refresh token of this generation is good
    began_at     TEXT NOT NULL,
    refreshed_at TEXT NOT NULL,
    revoked_at   TEXT,
    FOREIGN KEY (business_id, user_id) REFERENCES users (business_id, id)
) STRICT;
CREATE INDEX sessions_of_user ON sessions (business_id, user_id);

CREATE TABLE api_keys (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    key_id       TEXT NOT NULL UNIQUE CHECK (length(key_id) = 16), -- the public part of the key
    business_id  INTEGER NOT NULL REFERENCES businesses (id),
    name         TEXT NOT NULL CHECK (name <> ''),
    hash         BLOB NOT NULL CHECK (length(hash) = 32), -- SHA-256 of the secret part
    scopes       TEXT NOT NULL CHECK (json_valid(scopes)), -- a list of names
    created_by   BLOB, -- the uuid of a user, who may be gone; NULL where it was the command line
    created_at   TEXT NOT NULL,
    expires_at   TEXT,
    revoked_at   TEXT,
    last_used_at TEXT -- to the minute
) STRICT;
CREATE INDEX api_keys_of_business ON api_keys (business_id, id);

CREATE TABLE audit_log (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    business_id   INTEGER NOT NULL REFERENCES businesses (id),
    at            TEXT NOT NULL,
    action        TEXT NOT NULL,
    resource_kind TEXT NOT NULL,
    resource_id   TEXT NOT NULL,
    record        TEXT NOT NULL CHECK (json_valid(record)) -- all of it, canonical: equal records are equal bytes
) STRICT;
CREATE INDEX audit_log_of_resource ON audit_log (business_id, resource_kind, resource_id, id);
-- Lock-outs are read back from it at start.
CREATE INDEX audit_log_of_log_ins ON audit_log (at) WHERE action IN ('logged_in', 'log_in_refused');
-- What is once in the log stays there.
CREATE TRIGGER audit_log_is_not_changed BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_is_not_deleted BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
