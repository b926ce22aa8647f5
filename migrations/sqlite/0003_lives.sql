-- Lives of processes, so that calls that one leaves open are closed by another; and what reports of earlier systems still missed. The twin for
-- PostgreSQL stands in ../postgres; both mean the same.

CREATE TABLE lives (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid     BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    began_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')),
    seen_at  TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now'))
) STRICT;

-- Whose call it is. No foreign key: a call may be written before its life is, and outlives it. NULL for calls of earlier versions.
ALTER TABLE call_sessions ADD COLUMN life_uuid BLOB CHECK (length(life_uuid) = 16);
-- Of what is known so far; an older one that is written again does not win.
ALTER TABLE conversations ADD COLUMN progress_revision INTEGER NOT NULL DEFAULT 0;

-- The transcript as Exotel's tables had it, [{speaker: ai or user, text, timestamp}]. Reports read it as a column of this table, so it is one,
-- made from the turns whenever there is another.
ALTER TABLE conversations ADD COLUMN transcript_history TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(transcript_history));

CREATE TRIGGER user_turn_in_history AFTER INSERT ON user_turns
BEGIN
    UPDATE conversations SET transcript_history = (
        SELECT json_group_array(json_object('speaker', l.speaker, 'text', l.text, 'timestamp', l.created_at))
        FROM (SELECT 'user' AS speaker, t.transcribed_text AS text, t.created_at, t.order_index AS answers, 0 AS is_reply, t.order_index
              FROM user_turns t
              WHERE t.business_id = NEW.business_id AND t.conversation_id = NEW.conversation_id
              UNION ALL
              SELECT 'ai', r.response_text, r.created_at, COALESCE(t.order_index, 0), 1, r.order_index
              FROM agent_responses r LEFT JOIN user_turns t ON t.id = r.user_turn_id
              WHERE r.business_id = NEW.business_id AND r.conversation_id = NEW.conversation_id
              ORDER BY 3, 4, 5, 6) l)
    WHERE id = NEW.conversation_id;
END;

CREATE TRIGGER agent_response_in_history AFTER INSERT ON agent_responses
BEGIN
    UPDATE conversations SET transcript_history = (
        SELECT json_group_array(json_object('speaker', l.speaker, 'text', l.text, 'timestamp', l.created_at))
        FROM (SELECT 'user' AS speaker, t.transcribed_text AS text, t.created_at, t.order_index AS answers, 0 AS is_reply, t.order_index
              FROM user_turns t
              WHERE t.business_id = NEW.business_id AND t.conversation_id = NEW.conversation_id
              UNION ALL
              SELECT 'ai', r.response_text, r.created_at, COALESCE(t.order_index, 0), 1, r.order_index
              FROM agent_responses r LEFT JOIN user_turns t ON t.id = r.user_turn_id
              WHERE r.business_id = NEW.business_id AND r.conversation_id = NEW.conversation_id
              ORDER BY 3, 4, 5, 6) l)
    WHERE id = NEW.conversation_id;
END;

UPDATE conversations SET transcript_history = (
    SELECT json_group_array(json_object('speaker', l.speaker, 'text', l.text, 'timestamp', l.created_at))
    FROM (SELECT 'user' AS speaker, t.transcribed_text AS text, t.created_at, t.order_index AS answers, 0 AS is_reply, t.order_index
          FROM user_turns t
          WHERE t.business_id = conversations.business_id AND t.conversation_id = conversations.id
          UNION ALL
          SELECT 'ai', r.response_text, r.created_at, COALESCE(t.order_index, 0), 1, r.order_index
          FROM agent_responses r LEFT JOIN user_turns t ON t.id = r.user_turn_id
          WHERE r.business_id = conversations.business_id AND r.conversation_id = conversations.id
          ORDER BY 3, 4, 5, 6) l);

DROP VIEW conversation;
CREATE VIEW conversation AS
SELECT id, uuid, business_id, user_id, session_id, room_name, room_sid, status, direction, detected_language, agent_job_id, started_at,
       ended_at, created_at, updated_at, metadata
FROM conversations;

DROP VIEW agent_config;
CREATE VIEW agent_config AS
SELECT id, uuid, business_id, name, stt_provider, tts_provider, llm_provider, llm_model, system_prompt, default_language, knowledge_base_id,
       sales_script_text, business_info, knowledge_files, hume_config_id, playbook, voice_id, asr_keywords, first_message_inbound,
       first_message_outbound, eagerness, turn_after_silence_seconds, end_after_silence_seconds, max_conversation_duration_seconds,
       created_at, updated_at
FROM agents;
