DROP TABLE answered_requests;
DROP TABLE ssh_key_uses;
DROP TABLE ssh_key_placements;
DROP TABLE ssh_keys;
