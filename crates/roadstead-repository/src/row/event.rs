//! A row of `events`.

use diesel::prelude::{Insertable, Queryable, Selectable};
use roadstead_core::{EventId, InstanceId, OperationId, OrgId};
use serde_json::Value;
use uuid::Uuid;

use super::{Instance, Operation, json, number, parse};
use crate::error::Result;
use crate::record::{self, EventBody, InstanceBrief, OperationBrief, Position};
use crate::schema::events;
use crate::types::{Id, Time};

const INSTANCE: &str = "instance";
const OPERATION: &str = "operation";

/// All but the position, which an event gets once it is committed.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
pub(crate) struct Event {
    id: Id,
    organization_id: Id,
    kind: String,
    subject_id: Id,
    instance_id: Id,
    payload: Value,
    created_at: Time,
}

impl Event {
    /// Tells how a server stands.
    pub(crate) fn of_instance(it: &Instance, now: Time) -> Result<Self> {
        let brief = InstanceBrief {
            status: it.status()?.to_owned(),
            label: it.label.clone(),
            addresses: parse("vps_instances.addresses", it.addresses.clone())?,
        };
        Ok(Self {
            id: Id(Uuid::now_v7()),
            organization_id: it.organization_id,
            kind: INSTANCE.to_owned(),
            subject_id: it.id,
            instance_id: it.id,
            payload: json("this event", &brief)?,
            created_at: now,
        })
    }

    /// Tells how an operation stands.
    pub(crate) fn of_operation(it: &Operation, now: Time) -> Result<Self> {
        let brief = OperationBrief {
            kind: it.kind.clone(),
            state: it.state.clone(),
            progress: it
                .progress
                .map(|it| number("operations.progress", it))
                .transpose()?,
            error: it
                .error
                .clone()
                .map(|it| parse("operations.error", it))
                .transpose()?,
        };
        Ok(Self {
            id: Id(Uuid::now_v7()),
            organization_id: it.organization_id,
            kind: OPERATION.to_owned(),
            subject_id: it.id,
            instance_id: it.instance_id,
            payload: json("this event", &brief)?,
            created_at: now,
        })
    }

    /// Returns the record; `None` for a kind that only a later version knows.
    pub(crate) fn into_record(self, position: Position) -> Result<Option<record::Event>> {
        let body = match self.kind.as_str() {
            INSTANCE => EventBody::Instance(parse("events.payload", self.payload)?),
            OPERATION => EventBody::Operation {
                id: OperationId(self.subject_id.0),
                brief: parse("events.payload", self.payload)?,
            },
            _ => return Ok(None),
        };
        Ok(Some(record::Event {
            id: EventId(self.id.0),
            position,
            organization: OrgId(self.organization_id.0),
            instance: InstanceId(self.instance_id.0),
            body,
            created_at: self.created_at.0,
        }))
    }
}
