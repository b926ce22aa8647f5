-- Earlier calls with a number, newest first: who has called before. The twin for PostgreSQL stands in ../postgres.

CREATE INDEX call_sessions_by_from ON call_sessions (business_id, from_number, id);
CREATE INDEX call_sessions_by_to ON call_sessions (business_id, to_number, id);
