-- What an agent has to say before any first words: who calls, that it is a machine, that it records. The twin for SQLite stands in
-- ../sqlite; both mean the same.
DROP VIEW agent_config;
ALTER TABLE agents ADD COLUMN disclosure_message TEXT; -- NULL or blank means none

CREATE VIEW agent_config AS
SELECT id, uuid, business_id, name, stt_provider, tts_provider, llm_provider, llm_model, system_prompt, default_language, knowledge_base_id,
       sales_script_text, business_info, knowledge_files, hume_config_id, playbook, voice_id, asr_keywords, first_message_inbound,
       first_message_outbound, disclosure_message, eagerness, spelling_patience, turn_after_silence_seconds, end_after_silence_seconds,
       max_conversation_duration_seconds, soft_timeout_seconds, llm_cascade_timeout_seconds, speech_uncertainty_clarity_enabled,
       low_confidence_threshold, low_confidence_message, ambience_type, ambience_volume, enable_call_recording, created_at, updated_at
FROM agents;
CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON agent_config FOR EACH ROW EXECUTE FUNCTION refuse_view_write();
