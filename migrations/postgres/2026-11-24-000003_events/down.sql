DROP FUNCTION publish_events(INTEGER);
DROP SEQUENCE event_positions;
DROP TABLE events;
