-- How long a caller waits for an answer (design: filler after 1.2 s, the whole within 8 s); -1 switches either off.
ALTER TABLE agents ADD COLUMN soft_timeout_seconds DOUBLE PRECISION NOT NULL DEFAULT 1.2;
ALTER TABLE agents ADD COLUMN llm_cascade_timeout_seconds BIGINT NOT NULL DEFAULT 8;

DROP VIEW agent_config;
CREATE VIEW agent_config AS
SELECT id, uuid, business_id, name, stt_provider, tts_provider, llm_provider, llm_model, system_prompt, default_language, knowledge_base_id,
       sales_script_text, business_info, knowledge_files, hume_config_id, playbook, voice_id, asr_keywords, first_message_inbound,
       first_message_outbound, eagerness, turn_after_silence_seconds, end_after_silence_seconds, max_conversation_duration_seconds,
       soft_timeout_seconds, llm_cascade_timeout_seconds, created_at, updated_at
FROM agents;
CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON agent_config FOR EACH ROW EXECUTE FUNCTION refuse_view_write();

-- The third built-in agent: without a playbook, answered by a language model alone.
INSERT INTO agents (uuid, business_id, name, name_key, playbook, first_message_inbound, first_message_outbound, system_prompt)
SELECT CAST('01941f29-7c00-7000-8000-000000000004' AS uuid), 1, 'assistant', 'assistant', '',
       'Hello! How can I help you?', 'Hello! How can I help you?', 'You are a friendly and helpful assistant.'
WHERE NOT EXISTS (SELECT 1 FROM agents WHERE business_id = 1 AND name_key = 'assistant');
