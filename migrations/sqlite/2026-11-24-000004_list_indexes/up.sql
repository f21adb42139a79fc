-- One index for each order of a list, read in either direction. The first takes the place of the
-- one by id, which is the order in which ids were made, not that in which servers were accepted.
DROP INDEX vps_instances_page;
CREATE INDEX vps_instances_by_created ON vps_instances (organization_id, created_at, id)
    WHERE lifecycle <> 'deleted';
CREATE INDEX vps_instances_by_label ON vps_instances (organization_id, label_folded, id)
    WHERE lifecycle <> 'deleted';
CREATE INDEX vps_instances_by_region ON vps_instances (organization_id, region_id, id)
    WHERE lifecycle <> 'deleted';
