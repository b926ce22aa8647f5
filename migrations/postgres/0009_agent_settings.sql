-- Every setting of an agent is a column (api-inventory section 8), and an agent has versions. The twin for SQLite stands in ../sqlite;
-- both mean the same.
--
-- A setting that is NULL was never chosen: what holds then is the program's default, which the view agent_config shows.
DROP VIEW agent_config;
DROP VIEW agents_agent;

-- Columns that could not be NULL. Whoever has the default has not chosen it. Seconds had no bounds before: 0 and less switched a thing off,
-- which is -1 now, and what is beyond a bound is brought to it.
ALTER TABLE agents
    ALTER COLUMN sales_script_text DROP NOT NULL, ALTER COLUMN sales_script_text DROP DEFAULT,
    ALTER COLUMN business_info DROP NOT NULL, ALTER COLUMN business_info DROP DEFAULT,
    ALTER COLUMN knowledge_files DROP NOT NULL, ALTER COLUMN knowledge_files DROP DEFAULT,
    ALTER COLUMN system_prompt DROP NOT NULL, ALTER COLUMN system_prompt DROP DEFAULT,
    ALTER COLUMN default_language DROP NOT NULL, ALTER COLUMN default_language DROP DEFAULT,
    ALTER COLUMN playbook DROP NOT NULL,
    ALTER COLUMN asr_keywords DROP NOT NULL, ALTER COLUMN asr_keywords DROP DEFAULT,
    ALTER COLUMN eagerness DROP NOT NULL, ALTER COLUMN eagerness DROP DEFAULT,
    ALTER COLUMN spelling_patience DROP NOT NULL, ALTER COLUMN spelling_patience DROP DEFAULT,
    ALTER COLUMN turn_after_silence_seconds DROP NOT NULL, ALTER COLUMN turn_after_silence_seconds DROP DEFAULT,
    ALTER COLUMN end_after_silence_seconds DROP NOT NULL, ALTER COLUMN end_after_silence_seconds DROP DEFAULT,
    ALTER COLUMN soft_timeout_seconds DROP NOT NULL, ALTER COLUMN soft_timeout_seconds DROP DEFAULT,
    ALTER COLUMN llm_cascade_timeout_seconds DROP NOT NULL, ALTER COLUMN llm_cascade_timeout_seconds DROP DEFAULT,
    ALTER COLUMN speech_uncertainty_clarity_enabled DROP NOT NULL, ALTER COLUMN speech_uncertainty_clarity_enabled DROP DEFAULT,
    ALTER COLUMN low_confidence_threshold DROP NOT NULL, ALTER COLUMN low_confidence_threshold DROP DEFAULT,
    ALTER COLUMN ambience_type DROP NOT NULL, ALTER COLUMN ambience_type DROP DEFAULT,
    ALTER COLUMN ambience_volume DROP NOT NULL, ALTER COLUMN ambience_volume DROP DEFAULT,
    ALTER COLUMN enable_call_recording DROP NOT NULL, ALTER COLUMN enable_call_recording DROP DEFAULT;
UPDATE agents SET sales_script_text = NULL WHERE sales_script_text = '';
UPDATE agents SET business_info = NULL WHERE business_info = '{}';
UPDATE agents SET knowledge_files = NULL WHERE knowledge_files = '{}';
UPDATE agents SET system_prompt = NULL WHERE system_prompt = '';
UPDATE agents SET default_language = NULL WHERE default_language = 'en';
UPDATE agents SET playbook = NULL WHERE playbook = '';
UPDATE agents SET asr_keywords = NULL WHERE asr_keywords = '';
UPDATE agents SET eagerness = NULL WHERE eagerness = 'normal';
UPDATE agents SET spelling_patience = NULL WHERE spelling_patience = 'auto';
UPDATE agents SET turn_after_silence_seconds =
    CASE WHEN turn_after_silence_seconds = 7 THEN NULL
         WHEN turn_after_silence_seconds <= 0 THEN -1 ELSE LEAST(turn_after_silence_seconds, 300) END;
UPDATE agents SET end_after_silence_seconds =
    CASE WHEN end_after_silence_seconds > 0 THEN LEAST(end_after_silence_seconds, 3600) END;
UPDATE agents SET max_conversation_duration_seconds =
    CASE WHEN max_conversation_duration_seconds <= 0 THEN -1 ELSE LEAST(max_conversation_duration_seconds, 14400) END
    WHERE max_conversation_duration_seconds IS NOT NULL; -- LEAST would make 14400 of it
UPDATE agents SET soft_timeout_seconds =
    CASE WHEN soft_timeout_seconds = 1.2 THEN NULL
         WHEN soft_timeout_seconds <= 0 OR soft_timeout_seconds = 'NaN' THEN -1
         ELSE LEAST(GREATEST(soft_timeout_seconds, 0.1), 60) END;
UPDATE agents SET llm_cascade_timeout_seconds =
    CASE WHEN llm_cascade_timeout_seconds = 8 THEN NULL
         WHEN llm_cascade_timeout_seconds <= 0 THEN -1 ELSE LEAST(llm_cascade_timeout_seconds, 120) END;
UPDATE agents SET speech_uncertainty_clarity_enabled = NULL WHERE speech_uncertainty_clarity_enabled = FALSE;
UPDATE agents SET low_confidence_threshold = NULL WHERE low_confidence_threshold = 0.5;
UPDATE agents SET ambience_type = NULL WHERE ambience_type = 'none';
UPDATE agents SET ambience_volume = NULL WHERE ambience_volume = 0.2;
UPDATE agents SET enable_call_recording = NULL WHERE enable_call_recording = TRUE;
ALTER TABLE agents ADD CHECK (turn_after_silence_seconds = -1 OR turn_after_silence_seconds BETWEEN 1 AND 300);
ALTER TABLE agents ADD CHECK (end_after_silence_seconds = -1 OR end_after_silence_seconds BETWEEN 1 AND 3600);
ALTER TABLE agents ADD CHECK (max_conversation_duration_seconds = -1 OR max_conversation_duration_seconds BETWEEN 1 AND 14400);
ALTER TABLE agents ADD CHECK (soft_timeout_seconds = -1 OR soft_timeout_seconds BETWEEN 0.1 AND 60);
ALTER TABLE agents ADD CHECK (llm_cascade_timeout_seconds = -1 OR llm_cascade_timeout_seconds BETWEEN 1 AND 120);

UPDATE agents SET knowledge_base_id = NULL WHERE knowledge_base_id <= 0; -- none

-- How it sounds
ALTER TABLE agents ADD COLUMN personality_type TEXT CHECK (personality_type IN ('friendly', 'professional', 'persuasive', 'supportive', 'custom'));
ALTER TABLE agents ADD COLUMN conversation_style TEXT;
ALTER TABLE agents ADD COLUMN response_speed TEXT CHECK (response_speed IN ('slow', 'normal', 'fast'));
ALTER TABLE agents ADD COLUMN call_objective TEXT;
ALTER TABLE agents ADD COLUMN tts_model_family TEXT;
ALTER TABLE agents ADD COLUMN similarity DOUBLE PRECISION CHECK (similarity BETWEEN 0 AND 1);
ALTER TABLE agents ADD COLUMN speed DOUBLE PRECISION CHECK (speed BETWEEN 0.5 AND 2);
ALTER TABLE agents ADD COLUMN stability DOUBLE PRECISION CHECK (stability BETWEEN 0 AND 1);
ALTER TABLE agents ADD COLUMN output_format TEXT
    CHECK (output_format IN ('pcm_8000', 'pcm_16000', 'pcm_22050', 'pcm_24000', 'pcm_44100', 'pcm_48000', 'ulaw_8000', 'mp3'));
ALTER TABLE agents ADD COLUMN streaming_latency_optimization BIGINT CHECK (streaming_latency_optimization BETWEEN 0 AND 4);
ALTER TABLE agents ADD COLUMN text_normalisation_type TEXT CHECK (text_normalisation_type IN ('default', 'spell_out'));
ALTER TABLE agents ADD COLUMN pronunciation_dictionary_url TEXT;
ALTER TABLE agents ADD COLUMN languages JSONB;

-- What it does with a telephone, and how much of it
ALTER TABLE agents ADD COLUMN auto_answer_inbound BOOLEAN;
ALTER TABLE agents ADD COLUMN call_timeout BIGINT CHECK (call_timeout BETWEEN 5 AND 600);
ALTER TABLE agents ADD COLUMN enable_voicemail BOOLEAN;
ALTER TABLE agents ADD COLUMN caller_id_number TEXT;
ALTER TABLE agents ADD COLUMN machine_detection BOOLEAN;
ALTER TABLE agents ADD COLUMN call_screening BOOLEAN;
ALTER TABLE agents ADD COLUMN call_forwarding BOOLEAN;
ALTER TABLE agents ADD COLUMN conference_calls BOOLEAN;
ALTER TABLE agents ADD COLUMN call_queuing BOOLEAN;
ALTER TABLE agents ADD COLUMN daily_call_limit BIGINT CHECK (daily_call_limit = -1 OR daily_call_limit BETWEEN 0 AND 10000000);
ALTER TABLE agents ADD COLUMN concurrent_call_limit BIGINT CHECK (concurrent_call_limit = -1 OR concurrent_call_limit BETWEEN 0 AND 100000);
ALTER TABLE agents ADD COLUMN allow_concurrency_overflow BOOLEAN;
ALTER TABLE agents ADD COLUMN user_input_audio_format TEXT
    CHECK (user_input_audio_format IN ('pcm_8000', 'pcm_16000', 'pcm_22050', 'pcm_24000', 'pcm_44100', 'pcm_48000', 'ulaw_8000'));

-- What it may and may not do, whom it tells, what is kept. Of words that are each on or off, only those that were turned
ALTER TABLE agents ADD COLUMN guardrails JSONB;
ALTER TABLE agents ADD COLUMN system_tools JSONB;
ALTER TABLE agents ADD COLUMN tools TEXT;
ALTER TABLE agents ADD COLUMN client_override_keys JSONB;
ALTER TABLE agents ADD COLUMN client_events JSONB;
ALTER TABLE agents ADD COLUMN conversation_initiation_webhook_url TEXT;
ALTER TABLE agents ADD COLUMN conversation_initiation_webhook_auth_method TEXT
    CHECK (conversation_initiation_webhook_auth_method IN ('hmac', 'bearer'));
ALTER TABLE agents ADD COLUMN post_call_webhook_url TEXT;
ALTER TABLE agents ADD COLUMN post_call_webhook_auth_method TEXT CHECK (post_call_webhook_auth_method IN ('hmac', 'bearer'));
ALTER TABLE agents ADD COLUMN no_logging BOOLEAN;
ALTER TABLE agents ADD COLUMN retention_days BIGINT CHECK (retention_days = -1 OR retention_days BETWEEN 0 AND 36500);

-- The number of the live version; what is being written and no caller meets, and the version that it was begun on.
ALTER TABLE agents ADD COLUMN version BIGINT NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE agents ADD COLUMN draft JSONB;
ALTER TABLE agents ADD COLUMN draft_based_on BIGINT;
-- Counts every change, of the draft too: two editors at once are told apart by it.
ALTER TABLE agents ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
-- A deleted agent is kept for the calls that it answered, without its name.
ALTER TABLE agents ADD COLUMN deleted_at TIMESTAMPTZ;

CREATE TABLE agent_versions (
    id             BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    uuid           UUID NOT NULL UNIQUE,
    business_id    BIGINT NOT NULL REFERENCES businesses (id),
    agent_id       BIGINT NOT NULL,
    version        BIGINT NOT NULL CHECK (version > 0),
    origin         TEXT NOT NULL CHECK (origin IN ('created', 'edited', 'published', 'rolled_back')),
    rolled_back_to BIGINT CHECK ((rolled_back_to IS NULL) = (origin <> 'rolled_back')),
    settings       JSONB NOT NULL, -- what was set, by name
    changed_by     TEXT NOT NULL, -- user:17, key:…, cli, local; empty where it is not known
    created_at     TIMESTAMPTZ NOT NULL,
    UNIQUE (business_id, agent_id, version),
    FOREIGN KEY (business_id, agent_id) REFERENCES agents (business_id, id)
);

-- The names under which earlier systems kept this table. What was not chosen shows the default.
CREATE VIEW agents_agent AS
SELECT id, uuid, business_id, name, COALESCE(sales_script_text, '') AS sales_script_text, COALESCE(business_info, '{}') AS business_info,
       COALESCE(knowledge_files, '{}') AS knowledge_files, hume_config_id, created_at, updated_at
FROM agents WHERE deleted_at IS NULL;

CREATE VIEW agent_config AS
SELECT id, uuid, business_id, name, COALESCE(playbook, '') AS playbook, COALESCE(system_prompt, '') AS system_prompt,
       COALESCE(default_language, 'en') AS default_language, stt_provider, tts_provider, llm_provider, llm_model, knowledge_base_id,
       COALESCE(sales_script_text, '') AS sales_script_text, COALESCE(business_info, '{}') AS business_info,
       COALESCE(knowledge_files, '{}') AS knowledge_files, hume_config_id, first_message_inbound, first_message_outbound, disclosure_message,
       voice_id, COALESCE(personality_type, 'friendly') AS personality_type, conversation_style,
       COALESCE(response_speed, 'fast') AS response_speed, COALESCE(call_objective, 'sales') AS call_objective, tts_model_family,
       COALESCE(similarity, 0.75) AS similarity, COALESCE(speed, 1.0) AS speed, COALESCE(stability, 0.5) AS stability,
       COALESCE(output_format, 'pcm_8000') AS output_format, COALESCE(streaming_latency_optimization, 0) AS streaming_latency_optimization,
       COALESCE(text_normalisation_type, 'default') AS text_normalisation_type, pronunciation_dictionary_url,
       COALESCE(languages, '[]') AS languages, COALESCE(auto_answer_inbound, TRUE) AS auto_answer_inbound,
       COALESCE(call_timeout, 30) AS call_timeout, COALESCE(enable_voicemail, TRUE) AS enable_voicemail, caller_id_number,
       COALESCE(machine_detection, FALSE) AS machine_detection, COALESCE(call_screening, FALSE) AS call_screening,
       COALESCE(call_forwarding, FALSE) AS call_forwarding, COALESCE(conference_calls, FALSE) AS conference_calls,
       COALESCE(call_queuing, FALSE) AS call_queuing, COALESCE(daily_call_limit, 100000) AS daily_call_limit,
       COALESCE(concurrent_call_limit, -1) AS concurrent_call_limit, COALESCE(allow_concurrency_overflow, FALSE) AS allow_concurrency_overflow,
       COALESCE(user_input_audio_format, 'pcm_8000') AS user_input_audio_format, COALESCE(guardrails, '{}') AS guardrails,
       COALESCE(system_tools, '{}') AS system_tools, COALESCE(tools, '') AS tools, COALESCE(client_override_keys, '{}') AS client_override_keys,
       COALESCE(client_events, '{}') AS client_events, conversation_initiation_webhook_url,
       COALESCE(conversation_initiation_webhook_auth_method, 'hmac') AS conversation_initiation_webhook_auth_method, post_call_webhook_url,
       COALESCE(post_call_webhook_auth_method, 'hmac') AS post_call_webhook_auth_method, COALESCE(no_logging, FALSE) AS no_logging,
       COALESCE(retention_days, -1) AS retention_days, COALESCE(asr_keywords, '') AS asr_keywords, COALESCE(eagerness, 'normal') AS eagerness,
       COALESCE(spelling_patience, 'auto') AS spelling_patience, COALESCE(turn_after_silence_seconds, 7) AS turn_after_silence_seconds,
       COALESCE(end_after_silence_seconds, -1) AS end_after_silence_seconds, COALESCE(soft_timeout_seconds, 1.2) AS soft_timeout_seconds,
       COALESCE(llm_cascade_timeout_seconds, 8) AS llm_cascade_timeout_seconds,
       COALESCE(speech_uncertainty_clarity_enabled, FALSE) AS speech_uncertainty_clarity_enabled,
       COALESCE(low_confidence_threshold, 0.5) AS low_confidence_threshold, COALESCE(ambience_type, 'none') AS ambience_type,
       COALESCE(ambience_volume, 0.2) AS ambience_volume, COALESCE(enable_call_recording, TRUE) AS enable_call_recording,
       max_conversation_duration_seconds, low_confidence_message, voice_id AS voice_model, COALESCE(default_language, 'en') AS language,
       max_conversation_duration_seconds AS max_call_duration, version, created_at, updated_at
FROM agents WHERE deleted_at IS NULL;
CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON agents_agent FOR EACH ROW EXECUTE FUNCTION refuse_view_write();
CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON agent_config FOR EACH ROW EXECUTE FUNCTION refuse_view_write();
