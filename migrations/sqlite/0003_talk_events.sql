-- The timeline of a talk in the browser, which has a conversation and no call session. The twin for PostgreSQL stands in ../postgres.

CREATE TABLE talk_events (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16), -- made from the event itself: the same event is the same row
    business_id     INTEGER NOT NULL REFERENCES businesses (id),
    conversation_id INTEGER NOT NULL,
    t_ms            INTEGER NOT NULL, -- since the talk started
    kind            TEXT NOT NULL,
    data            TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(data)),
    FOREIGN KEY (business_id, conversation_id) REFERENCES conversations (business_id, id)
) STRICT;
CREATE INDEX talk_events_in_order ON talk_events (business_id, conversation_id, t_ms);
