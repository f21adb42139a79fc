-- What was seen is lost, and who was to decide about it: the next sweep sees it anew.
DROP INDEX vps_instances_provider;
DROP INDEX vps_instances_missing;
DROP TABLE quarantine;
DROP TABLE absences;
DROP TABLE doom_sightings;
DROP TABLE sweeps;
