-- Every setting of an agent is a column (api-inventory section 8), and an agent has versions. The twin for PostgreSQL stands in ../postgres;
-- both mean the same.
--
-- A setting that is NULL was never chosen: what holds then is the program's default, which the view agent_config shows.
DROP VIEW agent_config;
DROP VIEW agents_agent;

-- Columns that could not be NULL are made anew, since a constraint cannot be changed. Whoever has the default has not chosen it. Seconds had
-- no bounds before: 0 and less switched a thing off, which is -1 now, and what is beyond a bound is brought to it.
ALTER TABLE agents ADD COLUMN sales_script_text_or_null TEXT;
UPDATE agents SET sales_script_text_or_null = sales_script_text WHERE sales_script_text <> '';
ALTER TABLE agents DROP COLUMN sales_script_text;
ALTER TABLE agents RENAME COLUMN sales_script_text_or_null TO sales_script_text;
ALTER TABLE agents ADD COLUMN business_info_or_null TEXT CHECK (json_valid(business_info_or_null));
UPDATE agents SET business_info_or_null = business_info WHERE business_info <> '{}';
ALTER TABLE agents DROP COLUMN business_info;
ALTER TABLE agents RENAME COLUMN business_info_or_null TO business_info;
ALTER TABLE agents ADD COLUMN knowledge_files_or_null TEXT CHECK (json_valid(knowledge_files_or_null));
UPDATE agents SET knowledge_files_or_null = knowledge_files WHERE knowledge_files <> '{}';
ALTER TABLE agents DROP COLUMN knowledge_files;
ALTER TABLE agents RENAME COLUMN knowledge_files_or_null TO knowledge_files;
ALTER TABLE agents ADD COLUMN system_prompt_or_null TEXT;
UPDATE agents SET system_prompt_or_null = system_prompt WHERE system_prompt <> '';
ALTER TABLE agents DROP COLUMN system_prompt;
ALTER TABLE agents RENAME COLUMN system_prompt_or_null TO system_prompt;
ALTER TABLE agents ADD COLUMN default_language_or_null TEXT;
UPDATE agents SET default_language_or_null = default_language WHERE default_language <> 'en';
ALTER TABLE agents DROP COLUMN default_language;
ALTER TABLE agents RENAME COLUMN default_language_or_null TO default_language;
ALTER TABLE agents ADD COLUMN playbook_or_null TEXT;
UPDATE agents SET playbook_or_null = playbook WHERE playbook <> '';
ALTER TABLE agents DROP COLUMN playbook;
ALTER TABLE agents RENAME COLUMN playbook_or_null TO playbook;
ALTER TABLE agents ADD COLUMN asr_keywords_or_null TEXT;
UPDATE agents SET asr_keywords_or_null = asr_keywords WHERE asr_keywords <> '';
ALTER TABLE agents DROP COLUMN asr_keywords;
ALTER TABLE agents RENAME COLUMN asr_keywords_or_null TO asr_keywords;
ALTER TABLE agents ADD COLUMN eagerness_or_null TEXT
    CHECK (eagerness_or_null IN ('low', 'normal', 'high', '0', '1')
           OR (eagerness_or_null GLOB '0.[0-9]*' AND substr(eagerness_or_null, 3) NOT GLOB '*[^0-9]*'));
UPDATE agents SET eagerness_or_null = eagerness WHERE eagerness <> 'normal';
ALTER TABLE agents DROP COLUMN eagerness;
ALTER TABLE agents RENAME COLUMN eagerness_or_null TO eagerness;
ALTER TABLE agents ADD COLUMN spelling_patience_or_null TEXT CHECK (spelling_patience_or_null IN ('auto', 'on', 'off'));
UPDATE agents SET spelling_patience_or_null = spelling_patience WHERE spelling_patience <> 'auto';
ALTER TABLE agents DROP COLUMN spelling_patience;
ALTER TABLE agents RENAME COLUMN spelling_patience_or_null TO spelling_patience;
ALTER TABLE agents ADD COLUMN turn_after_silence_seconds_or_null INTEGER
    CHECK (turn_after_silence_seconds_or_null = -1 OR turn_after_silence_seconds_or_null BETWEEN 1 AND 300);
UPDATE agents SET turn_after_silence_seconds_or_null =
    CASE WHEN turn_after_silence_seconds <= 0 THEN -1 ELSE min(turn_after_silence_seconds, 300) END
    WHERE turn_after_silence_seconds <> 7;
ALTER TABLE agents DROP COLUMN turn_after_silence_seconds;
ALTER TABLE agents RENAME COLUMN turn_after_silence_seconds_or_null TO turn_after_silence_seconds;
ALTER TABLE agents ADD COLUMN end_after_silence_seconds_or_null INTEGER
    CHECK (end_after_silence_seconds_or_null = -1 OR end_after_silence_seconds_or_null BETWEEN 1 AND 3600);
UPDATE agents SET end_after_silence_seconds_or_null = min(end_after_silence_seconds, 3600) WHERE end_after_silence_seconds > 0;
ALTER TABLE agents DROP COLUMN end_after_silence_seconds;
ALTER TABLE agents RENAME COLUMN end_after_silence_seconds_or_null TO end_after_silence_seconds;
ALTER TABLE agents ADD COLUMN max_conversation_duration_seconds_in_bounds INTEGER
    CHECK (max_conversation_duration_seconds_in_bounds = -1 OR max_conversation_duration_seconds_in_bounds BETWEEN 1 AND 14400);
UPDATE agents SET max_conversation_duration_seconds_in_bounds =
    CASE WHEN max_conversation_duration_seconds <= 0 THEN -1 ELSE min(max_conversation_duration_seconds, 14400) END;
ALTER TABLE agents DROP COLUMN max_conversation_duration_seconds;
ALTER TABLE agents RENAME COLUMN max_conversation_duration_seconds_in_bounds TO max_conversation_duration_seconds;
ALTER TABLE agents ADD COLUMN soft_timeout_seconds_or_null REAL
    CHECK (soft_timeout_seconds_or_null = -1 OR soft_timeout_seconds_or_null BETWEEN 0.1 AND 60);
UPDATE agents SET soft_timeout_seconds_or_null =
    CASE WHEN soft_timeout_seconds <= 0 THEN -1 ELSE min(max(soft_timeout_seconds, 0.1), 60) END
    WHERE soft_timeout_seconds <> 1.2;
ALTER TABLE agents DROP COLUMN soft_timeout_seconds;
ALTER TABLE agents RENAME COLUMN soft_timeout_seconds_or_null TO soft_timeout_seconds;
ALTER TABLE agents ADD COLUMN llm_cascade_timeout_seconds_or_null INTEGER
    CHECK (llm_cascade_timeout_seconds_or_null = -1 OR llm_cascade_timeout_seconds_or_null BETWEEN 1 AND 120);
UPDATE agents SET llm_cascade_timeout_seconds_or_null =
    CASE WHEN llm_cascade_timeout_seconds <= 0 THEN -1 ELSE min(llm_cascade_timeout_seconds, 120) END
    WHERE llm_cascade_timeout_seconds <> 8;
ALTER TABLE agents DROP COLUMN llm_cascade_timeout_seconds;
ALTER TABLE agents RENAME COLUMN llm_cascade_timeout_seconds_or_null TO llm_cascade_timeout_seconds;
ALTER TABLE agents ADD COLUMN speech_uncertainty_clarity_enabled_or_null INTEGER CHECK (speech_uncertainty_clarity_enabled_or_null IN (0, 1));
UPDATE agents SET speech_uncertainty_clarity_enabled_or_null = speech_uncertainty_clarity_enabled WHERE speech_uncertainty_clarity_enabled <> 0;
ALTER TABLE agents DROP COLUMN speech_uncertainty_clarity_enabled;
ALTER TABLE agents RENAME COLUMN speech_uncertainty_clarity_enabled_or_null TO speech_uncertainty_clarity_enabled;
ALTER TABLE agents ADD COLUMN low_confidence_threshold_or_null REAL CHECK (low_confidence_threshold_or_null BETWEEN 0 AND 1);
UPDATE agents SET low_confidence_threshold_or_null = low_confidence_threshold WHERE low_confidence_threshold <> 0.5;
ALTER TABLE agents DROP COLUMN low_confidence_threshold;
ALTER TABLE agents RENAME COLUMN low_confidence_threshold_or_null TO low_confidence_threshold;
ALTER TABLE agents ADD COLUMN ambience_type_or_null TEXT
    CHECK (ambience_type_or_null IN ('none', 'office', 'call_center', 'restaurant', 'salsa', 'concert'));
UPDATE agents SET ambience_type_or_null = ambience_type WHERE ambience_type <> 'none';
ALTER TABLE agents DROP COLUMN ambience_type;
ALTER TABLE agents RENAME COLUMN ambience_type_or_null TO ambience_type;
ALTER TABLE agents ADD COLUMN ambience_volume_or_null REAL CHECK (ambience_volume_or_null BETWEEN 0 AND 1);
UPDATE agents SET ambience_volume_or_null = ambience_volume WHERE ambience_volume <> 0.2;
ALTER TABLE agents DROP COLUMN ambience_volume;
ALTER TABLE agents RENAME COLUMN ambience_volume_or_null TO ambience_volume;
ALTER TABLE agents ADD COLUMN enable_call_recording_or_null INTEGER CHECK (enable_call_recording_or_null IN (0, 1));
UPDATE agents SET enable_call_recording_or_null = enable_call_recording WHERE enable_call_recording <> 1;
ALTER TABLE agents DROP COLUMN enable_call_recording;
ALTER TABLE agents RENAME COLUMN enable_call_recording_or_null TO enable_call_recording;

UPDATE agents SET knowledge_base_id = NULL WHERE knowledge_base_id <= 0; -- none

-- How it sounds
ALTER TABLE agents ADD COLUMN personality_type TEXT CHECK (personality_type IN ('friendly', 'professional', 'persuasive', 'supportive', 'custom'));
ALTER TABLE agents ADD COLUMN conversation_style TEXT;
ALTER TABLE agents ADD COLUMN response_speed TEXT CHECK (response_speed IN ('slow', 'normal', 'fast'));
ALTER TABLE agents ADD COLUMN call_objective TEXT;
ALTER TABLE agents ADD COLUMN tts_model_family TEXT;
ALTER TABLE agents ADD COLUMN similarity REAL CHECK (similarity BETWEEN 0 AND 1);
ALTER TABLE agents ADD COLUMN speed REAL CHECK (speed BETWEEN 0.5 AND 2);
ALTER TABLE agents ADD COLUMN stability REAL CHECK (stability BETWEEN 0 AND 1);
ALTER TABLE agents ADD COLUMN output_format TEXT
    CHECK (output_format IN ('pcm_8000', 'pcm_16000', 'pcm_22050', 'pcm_24000', 'pcm_44100', 'pcm_48000', 'ulaw_8000', 'mp3'));
ALTER TABLE agents ADD COLUMN streaming_latency_optimization INTEGER CHECK (streaming_latency_optimization BETWEEN 0 AND 4);
ALTER TABLE agents ADD COLUMN text_normalisation_type TEXT CHECK (text_normalisation_type IN ('default', 'spell_out'));
ALTER TABLE agents ADD COLUMN pronunciation_dictionary_url TEXT;
ALTER TABLE agents ADD COLUMN languages TEXT CHECK (json_valid(languages));

-- What it does with a telephone, and how much of it
ALTER TABLE agents ADD COLUMN auto_answer_inbound INTEGER CHECK (auto_answer_inbound IN (0, 1));
ALTER TABLE agents ADD COLUMN call_timeout INTEGER CHECK (call_timeout BETWEEN 5 AND 600);
ALTER TABLE agents ADD COLUMN enable_voicemail INTEGER CHECK (enable_voicemail IN (0, 1));
ALTER TABLE agents ADD COLUMN caller_id_number TEXT;
ALTER TABLE agents ADD COLUMN machine_detection INTEGER CHECK (machine_detection IN (0, 1));
ALTER TABLE agents ADD COLUMN call_screening INTEGER CHECK (call_screening IN (0, 1));
ALTER TABLE agents ADD COLUMN call_forwarding INTEGER CHECK (call_forwarding IN (0, 1));
ALTER TABLE agents ADD COLUMN conference_calls INTEGER CHECK (conference_calls IN (0, 1));
ALTER TABLE agents ADD COLUMN call_queuing INTEGER CHECK (call_queuing IN (0, 1));
ALTER TABLE agents ADD COLUMN daily_call_limit INTEGER CHECK (daily_call_limit = -1 OR daily_call_limit BETWEEN 0 AND 10000000);
ALTER TABLE agents ADD COLUMN concurrent_call_limit INTEGER CHECK (concurrent_call_limit = -1 OR concurrent_call_limit BETWEEN 0 AND 100000);
ALTER TABLE agents ADD COLUMN allow_concurrency_overflow INTEGER CHECK (allow_concurrency_overflow IN (0, 1));
ALTER TABLE agents ADD COLUMN user_input_audio_format TEXT
    CHECK (user_input_audio_format IN ('pcm_8000', 'pcm_16000', 'pcm_22050', 'pcm_24000', 'pcm_44100', 'pcm_48000', 'ulaw_8000'));

-- What it may and may not do, whom it tells, what is kept. Of words that are each on or off, only those that were turned
ALTER TABLE agents ADD COLUMN guardrails TEXT CHECK (json_valid(guardrails));
ALTER TABLE agents ADD COLUMN system_tools TEXT CHECK (json_valid(system_tools));
ALTER TABLE agents ADD COLUMN tools TEXT;
ALTER TABLE agents ADD COLUMN client_override_keys TEXT CHECK (json_valid(client_override_keys));
ALTER TABLE agents ADD COLUMN client_events TEXT CHECK (json_valid(client_events));
ALTER TABLE agents ADD COLUMN conversation_initiation_webhook_url TEXT;
ALTER TABLE agents ADD COLUMN conversation_initiation_webhook_auth_method TEXT
    CHECK (conversation_initiation_webhook_auth_method IN ('hmac', 'bearer'));
ALTER TABLE agents ADD COLUMN post_call_webhook_url TEXT;
ALTER TABLE agents ADD COLUMN post_call_webhook_auth_method TEXT CHECK (post_call_webhook_auth_method IN ('hmac', 'bearer'));
ALTER TABLE agents ADD COLUMN no_logging INTEGER CHECK (no_logging IN (0, 1));
ALTER TABLE agents ADD COLUMN retention_days INTEGER CHECK (retention_days = -1 OR retention_days BETWEEN 0 AND 36500);

-- The number of the live version; what is being written and no caller meets, and the version that it was begun on.
ALTER TABLE agents ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE agents ADD COLUMN draft TEXT CHECK (json_valid(draft));
ALTER TABLE agents ADD COLUMN draft_based_on INTEGER;
-- Counts every change, of the draft too: two editors at once are told apart by it.
ALTER TABLE agents ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
-- A deleted agent is kept for the calls that it answered, without its name.
ALTER TABLE agents ADD COLUMN deleted_at TEXT;

CREATE TABLE agent_versions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid           BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    business_id    INTEGER NOT NULL REFERENCES businesses (id),
    agent_id       INTEGER NOT NULL,
    version        INTEGER NOT NULL CHECK (version > 0),
    origin         TEXT NOT NULL CHECK (origin IN ('created', 'edited', 'published', 'rolled_back')),
    rolled_back_to INTEGER CHECK ((rolled_back_to IS NULL) = (origin <> 'rolled_back')),
    settings       TEXT NOT NULL CHECK (json_valid(settings)), -- what was set, by name
    changed_by     TEXT NOT NULL, -- user:17, key:…, cli, local; empty where it is not known
    created_at     TEXT NOT NULL,
    UNIQUE (business_id, agent_id, version),
    FOREIGN KEY (business_id, agent_id) REFERENCES agents (business_id, id)
) STRICT;

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
       COALESCE(languages, '[]') AS languages, COALESCE(auto_answer_inbound, 1) AS auto_answer_inbound, COALESCE(call_timeout, 30) AS call_timeout,
       COALESCE(enable_voicemail, 1) AS enable_voicemail, caller_id_number, COALESCE(machine_detection, 0) AS machine_detection,
       COALESCE(call_screening, 0) AS call_screening, COALESCE(call_forwarding, 0) AS call_forwarding,
       COALESCE(conference_calls, 0) AS conference_calls, COALESCE(call_queuing, 0) AS call_queuing,
       COALESCE(daily_call_limit, 100000) AS daily_call_limit, COALESCE(concurrent_call_limit, -1) AS concurrent_call_limit,
       COALESCE(allow_concurrency_overflow, 0) AS allow_concurrency_overflow,
       COALESCE(user_input_audio_format, 'pcm_8000') AS user_input_audio_format, COALESCE(guardrails, '{}') AS guardrails,
       COALESCE(system_tools, '{}') AS system_tools, COALESCE(tools, '') AS tools, COALESCE(client_override_keys, '{}') AS client_override_keys,
       COALESCE(client_events, '{}') AS client_events, conversation_initiation_webhook_url,
       COALESCE(conversation_initiation_webhook_auth_method, 'hmac') AS conversation_initiation_webhook_auth_method, post_call_webhook_url,
       COALESCE(post_call_webhook_auth_method, 'hmac') AS post_call_webhook_auth_method, COALESCE(no_logging, 0) AS no_logging,
       COALESCE(retention_days, -1) AS retention_days, COALESCE(asr_keywords, '') AS asr_keywords, COALESCE(eagerness, 'normal') AS eagerness,
       COALESCE(spelling_patience, 'auto') AS spelling_patience, COALESCE(turn_after_silence_seconds, 7) AS turn_after_silence_seconds,
       COALESCE(end_after_silence_seconds, -1) AS end_after_silence_seconds, COALESCE(soft_timeout_seconds, 1.2) AS soft_timeout_seconds,
       COALESCE(llm_cascade_timeout_seconds, 8) AS llm_cascade_timeout_seconds,
       COALESCE(speech_uncertainty_clarity_enabled, 0) AS speech_uncertainty_clarity_enabled,
       COALESCE(low_confidence_threshold, 0.5) AS low_confidence_threshold, COALESCE(ambience_type, 'none') AS ambience_type,
       COALESCE(ambience_volume, 0.2) AS ambience_volume, COALESCE(enable_call_recording, 1) AS enable_call_recording,
       max_conversation_duration_seconds, low_confidence_message, voice_id AS voice_model, COALESCE(default_language, 'en') AS language,
       max_conversation_duration_seconds AS max_call_duration, version, created_at, updated_at
FROM agents WHERE deleted_at IS NULL;
