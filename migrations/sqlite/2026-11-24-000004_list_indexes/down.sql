DROP INDEX vps_instances_by_created;
DROP INDEX vps_instances_by_label;
DROP INDEX vps_instances_by_region;
CREATE INDEX vps_instances_page ON vps_instances (organization_id, id)
    WHERE lifecycle <> 'deleted';
