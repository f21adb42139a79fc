ALTER TABLE operations
    DROP CONSTRAINT operations_kind_check,
    ADD CONSTRAINT operations_kind_check CHECK (kind IN (
        'create', 'boot', 'shutdown', 'reboot', 'power_off', 'delete', 'resize', 'rebuild'
    ));

-- Where the provider's own log of the server ended when the request was sent.
ALTER TABLE operations ADD COLUMN log_place TEXT;
