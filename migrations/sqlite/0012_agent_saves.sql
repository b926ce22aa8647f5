-- What providers still have to hear of agents that were saved, and which version of its agent a call had. The twin for PostgreSQL stands in
-- ../postgres; both mean the same.

-- One row for each version that became live, written in the transaction that made it live. A version that is forgotten takes its row along; the
-- others go when every listener has settled them.
CREATE TABLE agent_saves (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid        BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16), -- by which a listener knows what it is told twice
    business_id INTEGER NOT NULL REFERENCES businesses (id),
    agent_id    INTEGER NOT NULL,
    version     INTEGER NOT NULL CHECK (version > 0),
    saved_at    TEXT NOT NULL,
    UNIQUE (business_id, id),
    UNIQUE (business_id, agent_id, version),
    FOREIGN KEY (business_id, agent_id, version) REFERENCES agent_versions (business_id, agent_id, version) ON DELETE CASCADE
) STRICT;

-- One row for each listener that somebody has begun to tell.
CREATE TABLE agent_save_deliveries (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    business_id   INTEGER NOT NULL,
    agent_save_id INTEGER NOT NULL,
    listener      TEXT NOT NULL CHECK (listener <> ''),
    life_uuid     BLOB CHECK (length(life_uuid) = 16), -- whose life is at it; one that is over holds nothing
    failures      INTEGER NOT NULL DEFAULT 0,
    due_at        TEXT, -- not before this
    trouble       TEXT, -- what came of the last attempt, if it was not taken
    settled_at    TEXT, -- taken, or refused for good: never told again
    UNIQUE (agent_save_id, listener),
    FOREIGN KEY (business_id, agent_save_id) REFERENCES agent_saves (business_id, id) ON DELETE CASCADE
) STRICT;

-- A call keeps the version that it began with. NULL for calls that no agent answered, and for those of earlier versions of this program.
ALTER TABLE call_sessions ADD COLUMN agent_version INTEGER CHECK (agent_version > 0);
ALTER TABLE conversations ADD COLUMN agent_version INTEGER CHECK (agent_version > 0);
