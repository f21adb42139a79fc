-- Which request an operation came from is lost; the audit log has it too.
DROP INDEX vps_instances_attention;
ALTER TABLE operations DROP COLUMN request_id;
