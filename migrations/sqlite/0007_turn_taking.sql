-- How an agent takes turns, and what is heard under its voice (api-inventory section 8). The twin for PostgreSQL stands in ../postgres; both
-- mean the same.
DROP VIEW agent_config;

-- Eagerness may also be a number from 0 (patient) to 1 (eager). A check cannot be changed, so the column is made anew.
ALTER TABLE agents ADD COLUMN eagerness_or_number TEXT NOT NULL DEFAULT 'normal'
    CHECK (eagerness_or_number IN ('low', 'normal', 'high', '0', '1')
           OR (eagerness_or_number GLOB '0.[0-9]*' AND substr(eagerness_or_number, 3) NOT GLOB '*[^0-9]*'));
UPDATE agents SET eagerness_or_number = eagerness;
ALTER TABLE agents DROP COLUMN eagerness;
ALTER TABLE agents RENAME COLUMN eagerness_or_number TO eagerness;

ALTER TABLE agents ADD COLUMN spelling_patience TEXT NOT NULL DEFAULT 'auto' CHECK (spelling_patience IN ('auto', 'on', 'off'));
ALTER TABLE agents ADD COLUMN speech_uncertainty_clarity_enabled INTEGER NOT NULL DEFAULT 0
    CHECK (speech_uncertainty_clarity_enabled IN (0, 1));
ALTER TABLE agents ADD COLUMN low_confidence_threshold REAL NOT NULL DEFAULT 0.5 CHECK (low_confidence_threshold BETWEEN 0 AND 1);
ALTER TABLE agents ADD COLUMN low_confidence_message TEXT; -- NULL means the line of the agent's language
ALTER TABLE agents ADD COLUMN ambience_type TEXT NOT NULL DEFAULT 'none'
    CHECK (ambience_type IN ('none', 'office', 'call_center', 'restaurant', 'salsa', 'concert'));
ALTER TABLE agents ADD COLUMN ambience_volume REAL NOT NULL DEFAULT 0.2 CHECK (ambience_volume BETWEEN 0 AND 1);
ALTER TABLE agents ADD COLUMN enable_call_recording INTEGER NOT NULL DEFAULT 1 CHECK (enable_call_recording IN (0, 1));

CREATE VIEW agent_config AS
SELECT id, uuid, business_id, name, stt_provider, tts_provider, llm_provider, llm_model, system_prompt, default_language, knowledge_base_id,
       sales_script_text, business_info, knowledge_files, hume_config_id, playbook, voice_id, asr_keywords, first_message_inbound,
       first_message_outbound, eagerness, spelling_patience, turn_after_silence_seconds, end_after_silence_seconds,
       max_conversation_duration_seconds, soft_timeout_seconds, llm_cascade_timeout_seconds, speech_uncertainty_clarity_enabled,
       low_confidence_threshold, low_confidence_message, ambience_type, ambience_volume, enable_call_recording, created_at, updated_at
FROM agents;
