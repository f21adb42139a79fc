//! The tables, spelled once for both databases.

diesel::table! {
    use diesel::sql_types::{Binary, Integer, Text};
    use crate::types::DbTime;
    installation (id) {
        id -> Integer,
        deployment -> Text,
        key_check -> Binary,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::{DbTime, DbUuid};
    organizations (id) {
        id -> DbUuid,
        name -> Text,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::{Bool, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    users (id) {
        id -> DbUuid,
        email -> Text,
        is_operator -> Bool,
        password_hash -> Nullable<Text>,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::{DbTime, DbUuid};
    memberships (organization_id, user_id) {
        organization_id -> DbUuid,
        user_id -> DbUuid,
        role -> Text,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::Binary;
    use crate::types::{DbTime, DbUuid};
    sessions (id) {
        id -> DbUuid,
        user_id -> DbUuid,
        token_hash -> Binary,
        expires_at -> DbTime,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Bool, Integer, Jsonb, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    service_providers (id) {
        id -> DbUuid,
        kind -> Text,
        name -> Text,
        configuration -> Jsonb,
        token -> Nullable<Binary>,
        token_key -> Nullable<BigInt>,
        is_active -> Bool,
        position -> Integer,
        fingerprint -> Nullable<Text>,
        verification -> Text,
        verification_reason -> Nullable<Text>,
        verification_at -> Nullable<DbTime>,
        created_at -> DbTime,
        updated_at -> DbTime,
        deleted_at -> Nullable<DbTime>,
        catalogue_epoch -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    vps_plans (id) {
        id -> DbUuid,
        provider_id -> DbUuid,
        remote_plan_id -> Text,
        remote_label -> Text,
        name -> Text,
        vcpus -> BigInt,
        memory_mib -> BigInt,
        hardware -> Jsonb,
        base_hourly -> Nullable<BigInt>,
        base_monthly -> Nullable<BigInt>,
        base_currency -> Nullable<Text>,
        base_monthly_is_cap -> Bool,
        base_source -> Nullable<Jsonb>,
        base_as_of -> Nullable<DbTime>,
        markup_kind -> Text,
        markup_percent -> Nullable<BigInt>,
        markup_hourly -> Nullable<BigInt>,
        markup_monthly -> Nullable<BigInt>,
        markup_currency -> Nullable<Text>,
        markup_is_own -> Bool,
        price_hourly -> Nullable<BigInt>,
        price_monthly -> Nullable<BigInt>,
        offerings -> Jsonb,
        regions -> Jsonb,
        images -> Jsonb,
        is_active -> Bool,
        is_retired -> Bool,
        position -> BigInt,
        revision -> BigInt,
        created_at -> DbTime,
        updated_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    vps_instances (id) {
        id -> DbUuid,
        organization_id -> DbUuid,
        provider_id -> DbUuid,
        provider_kind -> Text,
        remote_id -> Nullable<Text>,
        remote_name -> Text,
        label -> Text,
        label_folded -> Text,
        notes -> Text,
        tags -> Jsonb,
        lifecycle -> Text,
        power -> Text,
        power_raw -> Nullable<Text>,
        plan_id -> Text,
        region_id -> Text,
        image_id -> Text,
        vcpus -> BigInt,
        memory_mib -> BigInt,
        disk_mib -> Nullable<BigInt>,
        addresses -> Jsonb,
        price_hourly -> Nullable<BigInt>,
        price_monthly -> Nullable<BigInt>,
        price_currency -> Nullable<Text>,
        price_monthly_is_cap -> Bool,
        price_source -> Nullable<Jsonb>,
        price_as_of -> Nullable<DbTime>,
        problem -> Nullable<Text>,
        observed_at -> Nullable<DbTime>,
        created_at -> DbTime,
        updated_at -> DbTime,
        sale_plan_id -> Nullable<DbUuid>,
        sale -> Nullable<Jsonb>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Binary, Integer, Jsonb, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    operations (id) {
        id -> DbUuid,
        organization_id -> DbUuid,
        provider_id -> DbUuid,
        instance_id -> DbUuid,
        kind -> Text,
        state -> Text,
        attempts -> Integer,
        sent_at -> Nullable<DbTime>,
        empty_looks -> Integer,
        remote -> Nullable<Jsonb>,
        progress -> Nullable<Integer>,
        error -> Nullable<Jsonb>,
        request -> Jsonb,
        secret -> Nullable<Binary>,
        secret_key -> Nullable<BigInt>,
        due_at -> DbTime,
        lease_until -> Nullable<DbTime>,
        worker -> Nullable<DbUuid>,
        epoch -> BigInt,
        created_at -> DbTime,
        updated_at -> DbTime,
        finished_at -> Nullable<DbTime>,
        request_id -> Nullable<Text>,
        log_place -> Nullable<Text>,
        orphaned_attempts -> Integer,
        failing_since -> Nullable<DbTime>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Integer, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    attempts (operation_id, number) {
        operation_id -> DbUuid,
        number -> Integer,
        sent_at -> DbTime,
        digest -> Binary,
        outcome -> Nullable<Text>,
        ended_at -> Nullable<DbTime>,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    dooms (provider_id, remote_id) {
        provider_id -> DbUuid,
        remote_id -> Text,
        instance_id -> DbUuid,
        reason -> Text,
        created_at -> DbTime,
        done_at -> Nullable<DbTime>,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    doom_sightings (provider_id, remote_id) {
        provider_id -> DbUuid,
        remote_id -> Text,
        first_at -> DbTime,
        second_at -> Nullable<DbTime>,
        sent_at -> Nullable<DbTime>,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    sweeps (provider_id) {
        provider_id -> DbUuid,
        worker -> Nullable<DbUuid>,
        lease_until -> Nullable<DbTime>,
        epoch -> BigInt,
        due_at -> DbTime,
        started_at -> Nullable<DbTime>,
        ended_at -> Nullable<DbTime>,
        completed_at -> Nullable<DbTime>,
        outcome -> Nullable<Text>,
        reason -> Nullable<Text>,
        seen -> BigInt,
        deleted -> BigInt,
        held_back -> BigInt,
    }
}

diesel::table! {
    use crate::types::{DbTime, DbUuid};
    absences (instance_id) {
        instance_id -> DbUuid,
        provider_id -> DbUuid,
        first_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::{Jsonb, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    quarantine (id) {
        id -> DbUuid,
        provider_id -> DbUuid,
        remote_id -> Text,
        name -> Text,
        tags -> Jsonb,
        remote_created_at -> Nullable<DbTime>,
        instance_id -> Nullable<DbUuid>,
        reason -> Text,
        state -> Text,
        first_seen_at -> DbTime,
        last_seen_at -> DbTime,
        ended_at -> Nullable<DbTime>,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    quarantine_deletes (quarantine_id) {
        quarantine_id -> DbUuid,
        name -> Text,
        remote_created_at -> Nullable<DbTime>,
        created_at -> DbTime,
        sent_at -> Nullable<DbTime>,
        refusal -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::{Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    imports (instance_id) {
        instance_id -> DbUuid,
        provider_id -> DbUuid,
        remote_id -> Text,
        remote_created_at -> Nullable<DbTime>,
        fingerprint -> Text,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Jsonb, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    idempotency_keys (organization_id, key) {
        organization_id -> DbUuid,
        key -> Text,
        hash -> Binary,
        operation_id -> Nullable<DbUuid>,
        created_at -> DbTime,
        answer -> Nullable<Jsonb>,
    }
}

diesel::table! {
    use diesel::sql_types::{Binary, Jsonb, Text};
    use crate::types::{DbTime, DbUuid};
    operator_idempotency_keys (user_id, key) {
        user_id -> DbUuid,
        key -> Text,
        hash -> Binary,
        answer -> Jsonb,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::{Jsonb, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    audit_log (id) {
        id -> DbUuid,
        organization_id -> Nullable<DbUuid>,
        user_id -> Nullable<DbUuid>,
        action -> Text,
        subject -> Text,
        request_id -> Nullable<Text>,
        details -> Jsonb,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::{DbTime, DbUuid};
    ssh_keys (id) {
        id -> DbUuid,
        organization_id -> DbUuid,
        name -> Text,
        kind -> Text,
        public_key -> Text,
        comment -> Text,
        fingerprint -> Text,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Integer, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    ssh_key_placements (provider_id, fingerprint) {
        provider_id -> DbUuid,
        fingerprint -> Text,
        public_key -> Text,
        remote_name -> Text,
        remote_id -> Nullable<Text>,
        epoch -> BigInt,
        asked_at -> DbTime,
        due_at -> DbTime,
        failures -> Integer,
        created_at -> DbTime,
    }
}

diesel::table! {
    use diesel::sql_types::Text;
    use crate::types::DbUuid;
    ssh_key_uses (operation_id, provider_id, fingerprint) {
        operation_id -> DbUuid,
        provider_id -> DbUuid,
        fingerprint -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::{BigInt, Jsonb, Nullable, Text};
    use crate::types::{DbTime, DbUuid};
    events (id) {
        id -> DbUuid,
        position -> Nullable<BigInt>,
        organization_id -> DbUuid,
        kind -> Text,
        subject_id -> DbUuid,
        instance_id -> DbUuid,
        payload -> Jsonb,
        created_at -> DbTime,
    }
}

diesel::joinable!(memberships -> organizations (organization_id));
diesel::joinable!(dooms -> vps_instances (instance_id));
diesel::joinable!(audit_log -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(quarantine_deletes -> quarantine (quarantine_id));
diesel::joinable!(vps_plans -> service_providers (provider_id));
diesel::allow_tables_to_appear_in_same_query!(audit_log, users);
diesel::allow_tables_to_appear_in_same_query!(memberships, organizations, sessions, users);
diesel::allow_tables_to_appear_in_same_query!(attempts, operations);
diesel::allow_tables_to_appear_in_same_query!(doom_sightings, dooms, vps_instances);
diesel::allow_tables_to_appear_in_same_query!(service_providers, vps_plans);
diesel::allow_tables_to_appear_in_same_query!(quarantine, quarantine_deletes);
