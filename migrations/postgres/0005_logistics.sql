-- The second built-in agent, so that its calls are stored as its own.
INSERT INTO agents (uuid, business_id, name, name_key, playbook)
SELECT CAST('01941f29-7c00-7000-8000-000000000003' AS uuid), 1, 'logistics', 'logistics', 'logistics'
WHERE NOT EXISTS (SELECT 1 FROM agents WHERE business_id = 1 AND name_key = 'logistics');
