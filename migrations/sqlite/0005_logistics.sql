-- The second built-in agent, so that its calls are stored as its own.
INSERT INTO agents (uuid, business_id, name, name_key, playbook)
SELECT X'01941F297C0070008000000000000003', 1, 'logistics', 'logistics', 'logistics'
WHERE NOT EXISTS (SELECT 1 FROM agents WHERE business_id = 1 AND name_key = 'logistics');
