-- Without their answers these keys say nothing.
DELETE FROM idempotency_keys WHERE operation_id IS NULL;
ALTER TABLE idempotency_keys DROP COLUMN answer;
ALTER TABLE idempotency_keys ALTER COLUMN operation_id SET NOT NULL;

DROP TABLE ssh_key_uses;
DROP TABLE ssh_key_placements;
DROP TABLE ssh_keys;
