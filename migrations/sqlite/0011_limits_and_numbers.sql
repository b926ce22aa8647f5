-- How many calls a business may have and has had, by which name it is known, and the telephone numbers by which it is called. The twin for PostgreSQL stands in ../postgres;
-- both mean the same.

-- -1 leaves it to the server: as many at once as that takes, and as many in a day as come.
ALTER TABLE businesses ADD COLUMN concurrent_call_limit INTEGER NOT NULL DEFAULT -1 CHECK (concurrent_call_limit BETWEEN -1 AND 100000);
ALTER TABLE businesses ADD COLUMN daily_call_limit INTEGER NOT NULL DEFAULT -1 CHECK (daily_call_limit BETWEEN -1 AND 10000000);
ALTER TABLE businesses ADD COLUMN time_zone TEXT CHECK (time_zone <> ''); -- of the tz database, where days begin; NULL means the server's
-- Counts every change of the three and of the name: two editors at once are told apart by it.
ALTER TABLE businesses ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
-- The name in lower case, as the program makes it, since the engines differ on letters beyond ASCII; NULL where the row was made by hand.
ALTER TABLE businesses ADD COLUMN name_key TEXT CHECK (name_key <> '');
UPDATE businesses SET name_key = lower(name) WHERE id = 1 AND name <> '';
CREATE UNIQUE INDEX businesses_name_key ON businesses (name_key);

-- Calls that were let in, one row each. What an agent's overflow let in beyond its business's limit is marked.
CREATE TABLE call_usage (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid        BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16), -- the call's; no foreign key: a talk in the browser has no call session
    business_id INTEGER NOT NULL REFERENCES businesses (id),
    agent_id    INTEGER NOT NULL,
    day         TEXT NOT NULL CHECK (length(day) = 10), -- where the business is
    direction   TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    overflow    INTEGER NOT NULL CHECK (overflow IN (0, 1)),
    life_uuid   BLOB CHECK (length(life_uuid) = 16), -- of the process that let it in
    admitted_at TEXT NOT NULL,
    FOREIGN KEY (business_id, agent_id) REFERENCES agents (business_id, id)
) STRICT;
CREATE INDEX call_usage_of_day ON call_usage (business_id, day, agent_id);

-- Numbers by which the business is called. Not unique over all businesses: that one has a number here does not prove that it is its own.
CREATE TABLE phone_numbers (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid        BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    business_id INTEGER NOT NULL REFERENCES businesses (id),
    number      TEXT NOT NULL
        CHECK (number GLOB '+[1-9]*' AND substr(number, 2) NOT GLOB '*[^0-9]*' AND length(number) BETWEEN 3 AND 16), -- E.164
    type        TEXT NOT NULL DEFAULT 'main' CHECK (type <> ''),
    active      INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1)),
    agent_id    INTEGER, -- NULL leaves it to the server's settings
    revision    INTEGER NOT NULL DEFAULT 0, -- counts every change
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    UNIQUE (business_id, number),
    FOREIGN KEY (business_id, agent_id) REFERENCES agents (business_id, id)
) STRICT;
CREATE INDEX phone_numbers_of_agent ON phone_numbers (business_id, agent_id);
