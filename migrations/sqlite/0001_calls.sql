-- Businesses, their agents, and what a call leaves behind. The twin for PostgreSQL stands in ../postgres; both mean the same.
--
-- Every row has a whole-number id, which is never given twice, and a public uuid (16 bytes, version 7). Times are UTC, RFC 3339 with the
-- offset +00:00, so that they sort as text. JSON is text. A row that a business owns carries business_id, and its foreign keys carry it
-- too: a row can only hang on rows of its own business.
--
-- Nothing here may need a SQLite newer than 3.37: one view that an older reader cannot parse makes the whole file unreadable to it.

CREATE TABLE businesses (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid       BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    name       TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    updated_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
) STRICT;

CREATE TABLE agents (
    id                     INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid                   BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    business_id            INTEGER NOT NULL REFERENCES businesses (id),
    name                   TEXT NOT NULL CHECK (name <> ''),
    -- The name in lower case, by Unicode. Kept beside it because the two engines' lower() agree on ASCII alone.
    name_key               TEXT NOT NULL CHECK (name_key <> ''),
    -- Script
    sales_script_text      TEXT NOT NULL DEFAULT '',
    business_info          TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(business_info)),
    knowledge_files        TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(knowledge_files)),
    hume_config_id         TEXT,
    -- Engines; NULL means the server's choice
    stt_provider           TEXT,
    tts_provider           TEXT,
    llm_provider           TEXT,
    llm_model              TEXT,
    system_prompt          TEXT NOT NULL DEFAULT '',
    default_language       TEXT NOT NULL DEFAULT 'en',
    knowledge_base_id      INTEGER,
    playbook               TEXT NOT NULL,
    voice_id               TEXT,
    asr_keywords           TEXT NOT NULL DEFAULT '', -- comma-separated
    first_message_inbound  TEXT,
    first_message_outbound TEXT,
    -- Behaviour; -1 means off
    eagerness                         TEXT NOT NULL DEFAULT 'normal' CHECK (eagerness IN ('low', 'normal', 'high')),
    turn_after_silence_seconds        INTEGER NOT NULL DEFAULT 7,
    end_after_silence_seconds         INTEGER NOT NULL DEFAULT -1,
    max_conversation_duration_seconds INTEGER, -- NULL means the server's limit
    created_at             TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    updated_at             TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    UNIQUE (business_id, id),
    UNIQUE (business_id, name_key)
) STRICT;

CREATE TABLE call_sessions (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid             BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    business_id      INTEGER NOT NULL REFERENCES businesses (id),
    agent_id         INTEGER,
    lead_id          INTEGER, -- whose row leads will have
    call_sid         TEXT NOT NULL DEFAULT '', -- the carrier's id; empty if it never told, and not unique: a carrier may reconnect
    stream_sid       TEXT NOT NULL DEFAULT '',
    provider         TEXT NOT NULL,
    direction        TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    from_number      TEXT,
    to_number        TEXT,
    parameters       TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(parameters)),
    status           TEXT NOT NULL CHECK (status IN
        ('queued', 'initiated', 'ringing', 'in_progress', 'completed', 'busy', 'no_answer', 'failed', 'canceled')),
    ended_reason     TEXT,
    ended_detail     TEXT,
    duration_seconds INTEGER,
    duration_ms      INTEGER,
    recording_url    TEXT,
    answered_at      TEXT,
    ended_at         TEXT,
    created_at       TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    updated_at       TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    UNIQUE (business_id, id),
    FOREIGN KEY (business_id, agent_id) REFERENCES agents (business_id, id)
) STRICT;
CREATE INDEX call_sessions_by_sid ON call_sessions (business_id, call_sid);
CREATE INDEX call_sessions_by_agent ON call_sessions (business_id, agent_id);
CREATE INDEX call_sessions_open ON call_sessions (id) WHERE ended_at IS NULL;

CREATE TABLE conversations (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid              BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    business_id       INTEGER NOT NULL REFERENCES businesses (id),
    call_session_id   INTEGER UNIQUE, -- NULL for a browser talk
    agent_id          INTEGER,
    user_id           INTEGER, -- users and sessions come with the accounts
    session_id        INTEGER,
    room_name         TEXT,
    room_sid          TEXT,
    agent_job_id      TEXT,
    status            TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'ended')),
    direction         TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    detected_language TEXT,
    stage             TEXT NOT NULL DEFAULT 'intro',
    final_outcome     TEXT,
    lead_qualified    INTEGER CHECK (lead_qualified IN (0, 1)), -- NULL while nobody has judged
    extracted_data    TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(extracted_data)),
    metadata          TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(metadata)),
    ended_reason      TEXT,
    started_at        TEXT NOT NULL,
    ended_at          TEXT,
    created_at        TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    updated_at        TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    UNIQUE (business_id, id),
    FOREIGN KEY (business_id, call_session_id) REFERENCES call_sessions (business_id, id),
    FOREIGN KEY (business_id, agent_id) REFERENCES agents (business_id, id)
) STRICT;
CREATE INDEX conversations_by_agent ON conversations (business_id, agent_id);

CREATE TABLE user_turns (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid               BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    business_id        INTEGER NOT NULL REFERENCES businesses (id),
    conversation_id    INTEGER NOT NULL,
    order_index        INTEGER NOT NULL, -- among the caller's turns, from 1
    transcribed_text   TEXT NOT NULL,
    detected_language  TEXT,
    stt_provider       TEXT NOT NULL,
    stt_confidence     REAL, -- 0 to 1
    raw_audio_url      TEXT,
    audio_storage_path TEXT,
    created_at         TEXT NOT NULL, -- when the caller began to speak
    UNIQUE (business_id, conversation_id, order_index),
    UNIQUE (business_id, id),
    FOREIGN KEY (business_id, conversation_id) REFERENCES conversations (business_id, id)
) STRICT;

CREATE TABLE agent_responses (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid               BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    business_id        INTEGER NOT NULL REFERENCES businesses (id),
    conversation_id    INTEGER NOT NULL,
    user_turn_id       INTEGER, -- NULL for the first message and for reprompts, which answer nobody
    order_index        INTEGER NOT NULL, -- among the agent's utterances, from 1
    response_text      TEXT NOT NULL, -- what the caller heard
    intended_text      TEXT, -- what was meant to be said, where that was more
    interrupted        INTEGER NOT NULL DEFAULT 0 CHECK (interrupted IN (0, 1)),
    llm_provider       TEXT NOT NULL,
    tts_provider       TEXT NOT NULL,
    voice_id           TEXT NOT NULL DEFAULT '',
    tts_audio_url      TEXT,
    audio_storage_path TEXT,
    language_used      TEXT,
    latency_ms         INTEGER, -- from the end of the caller's speech to the first sample sent
    stages             TEXT CHECK (json_valid(stages)), -- parts of the latency in ms, by stage name
    created_at         TEXT NOT NULL, -- when its first sample was sent
    UNIQUE (business_id, conversation_id, order_index),
    FOREIGN KEY (business_id, conversation_id) REFERENCES conversations (business_id, id),
    FOREIGN KEY (business_id, user_turn_id) REFERENCES user_turns (business_id, id)
) STRICT;
CREATE INDEX agent_responses_by_turn ON agent_responses (business_id, user_turn_id);

CREATE TABLE call_events (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid            BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16), -- made from the event itself: the same event is the same row
    business_id     INTEGER NOT NULL REFERENCES businesses (id),
    call_session_id INTEGER NOT NULL,
    t_ms            INTEGER NOT NULL, -- since the stream started
    kind            TEXT NOT NULL,
    data            TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(data)),
    FOREIGN KEY (business_id, call_session_id) REFERENCES call_sessions (business_id, id)
) STRICT;
CREATE INDEX call_events_in_order ON call_events (business_id, call_session_id, t_ms);

-- What was said, both sides in one list. Spoken order is (created_at, answers, is_reply, order_index): the clock decides, and where it
-- cannot, a reply comes after the turn that it answers.
CREATE VIEW transcript_lines AS
SELECT business_id, conversation_id, 'user' AS role, transcribed_text AS text, NULL AS intended_text, FALSE AS interrupted,
       detected_language AS language, stt_confidence AS confidence, NULL AS latency_ms, NULL AS stages, created_at,
       order_index AS answers, 0 AS is_reply, order_index
FROM user_turns
UNION ALL
SELECT r.business_id, r.conversation_id, 'agent', r.response_text, r.intended_text, r.interrupted,
       r.language_used, NULL, r.latency_ms, r.stages, r.created_at,
       COALESCE(t.order_index, 0), 1, r.order_index
FROM agent_responses r
LEFT JOIN user_turns t ON t.business_id = r.business_id AND t.conversation_id = r.conversation_id AND t.id = r.user_turn_id;

-- The names under which earlier systems kept these tables, for reports that read them. Views of SQLite are read-only.
CREATE VIEW agents_agent AS
SELECT id, uuid, business_id, name, sales_script_text, business_info, knowledge_files, hume_config_id, created_at, updated_at FROM agents;

CREATE VIEW agent_config AS
SELECT id, uuid, business_id, name, stt_provider, tts_provider, llm_provider, llm_model, system_prompt, default_language, knowledge_base_id,
       playbook, voice_id, asr_keywords, first_message_inbound, first_message_outbound, eagerness, turn_after_silence_seconds,
       end_after_silence_seconds, max_conversation_duration_seconds, created_at, updated_at
FROM agents;

CREATE VIEW conversation AS
SELECT id, uuid, business_id, room_name, room_sid, status, direction, detected_language, agent_job_id, started_at, ended_at,
       created_at, updated_at, metadata
FROM conversations;

CREATE VIEW user_turn AS
SELECT id, uuid, business_id, conversation_id, order_index, transcribed_text, detected_language, stt_provider, stt_confidence,
       raw_audio_url, audio_storage_path, created_at
FROM user_turns;

CREATE VIEW agent_response AS
SELECT id, uuid, business_id, conversation_id, user_turn_id, response_text, llm_provider, tts_provider, voice_id, tts_audio_url,
       audio_storage_path, language_used, created_at
FROM agent_responses;

CREATE VIEW "TwilioCall" AS
SELECT s.id, s.uuid, s.business_id, s.call_sid, a.name AS agent
FROM call_sessions s LEFT JOIN agents a ON a.id = s.agent_id
WHERE s.provider = 'twilio';

CREATE VIEW calls AS
SELECT s.id, s.uuid, s.business_id, s.call_sid, a.name AS agent_type, c.stage, c.detected_language AS language,
       -- Not from transcript_lines: SQLite would build that view whole for every call.
       (SELECT json_group_array(json_object('role', l.role, 'text', l.text))
        FROM (SELECT 'user' AS role, t.transcribed_text AS text, t.created_at, t.order_index AS answers, 0 AS is_reply, t.order_index
              FROM user_turns t
              WHERE t.business_id = c.business_id AND t.conversation_id = c.id
              UNION ALL
              SELECT 'agent', r.response_text, r.created_at, COALESCE(t.order_index, 0), 1, r.order_index
              FROM agent_responses r LEFT JOIN user_turns t ON t.id = r.user_turn_id
              WHERE r.business_id = c.business_id AND r.conversation_id = c.id
              ORDER BY 3, 4, 5, 6) l) AS history,
       c.extracted_data AS data
FROM call_sessions s
LEFT JOIN conversations c ON c.call_session_id = s.id
LEFT JOIN agents a ON a.id = s.agent_id;

-- The business and the agent that are there before anybody has set one up.
INSERT INTO businesses (id, uuid, name) VALUES (1, X'01941F297C0070008000000000000001', 'Default');
INSERT INTO agents (uuid, business_id, name, name_key, playbook)
VALUES (X'01941F297C0070008000000000000002', 1, 'front-desk', 'front-desk', 'front-desk');
