//! The `X-Filter` header: conditions and order, as JSON.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use crate::vendor::Call;

use super::refusal::Refusal;

/// Returns the items that the caller's filter lets through, in its order.
pub(crate) fn apply(
    call: &Call,
    items: Vec<Value>,
    filterable: &[&str],
) -> Result<Vec<Value>, Refusal> {
    let Some(header) = call.header("x-filter") else {
        return Ok(items);
    };
    let Ok(Value::Object(filter)) = serde_json::from_str(header) else {
        // Seen.
        return Err(refused("Filter not valid JSON"));
    };
    let condition = Condition::all(&filter, filterable)?;
    let order = order(&filter, filterable)?;
    let mut kept: Vec<Value> = items
        .into_iter()
        .filter(|item| condition.holds(item))
        .collect();
    if let Some((field, descending)) = order {
        kept.sort_by(|left, right| {
            let ascending = compare(find(left, &field), find(right, &field));
            let ascending = ascending.unwrap_or(Ordering::Equal);
            if descending {
                ascending.reverse()
            } else {
                ascending
            }
        });
    }
    Ok(kept)
}

#[derive(Debug)]
enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Field {
        path: String,
        relation: Relation,
        value: Value,
    },
}

#[derive(Debug, Clone, Copy)]
enum Relation {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Contains,
}

impl Relation {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "+eq" => Self::Equal,
            "+neq" => Self::NotEqual,
            "+gt" => Self::Greater,
            "+gte" => Self::GreaterOrEqual,
            "+lt" => Self::Less,
            "+lte" => Self::LessOrEqual,
            "+contains" => Self::Contains,
            _ => return None,
        })
    }
}

impl Condition {
    /// Reads an object, all of whose members must hold.
    fn all(filter: &Map<String, Value>, filterable: &[&str]) -> Result<Self, Refusal> {
        let mut parts = Vec::new();
        for (name, value) in filter {
            match name.as_str() {
                "+and" => parts.push(Self::All(list(value, filterable)?)),
                "+or" => parts.push(Self::Any(list(value, filterable)?)),
                "+order" | "+order_by" => {}
                field if filterable.contains(&field) => {
                    parts.append(&mut field_conditions(field, value)?);
                }
                // Seen.
                field => return Err(refused(&format!("Cannot filter on {field}"))),
            }
        }
        Ok(Self::All(parts))
    }

    fn holds(&self, item: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|it| it.holds(item)),
            Self::Any(parts) => parts.iter().any(|it| it.holds(item)),
            Self::Field {
                path,
                relation,
                value,
            } => match find(item, path) {
                // A list has the value if one of its members has it.
                Some(Value::Array(members)) => match relation {
                    Relation::NotEqual => members.iter().all(|it| relation.holds(Some(it), value)),
                    Relation::Equal
                    | Relation::Greater
                    | Relation::GreaterOrEqual
                    | Relation::Less
                    | Relation::LessOrEqual
                    | Relation::Contains => {
                        members.iter().any(|it| relation.holds(Some(it), value))
                    }
                },
                found => relation.holds(found, value),
            },
        }
    }
}

impl Relation {
    fn holds(self, found: Option<&Value>, value: &Value) -> bool {
        let order = compare(found, Some(value));
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Contains => match (found.and_then(Value::as_str), value.as_str()) {
                (Some(text), Some(part)) => text.contains(part),
                _ => false,
            },
        }
    }
}

fn list(value: &Value, filterable: &[&str]) -> Result<Vec<Condition>, Refusal> {
    let Value::Array(members) = value else {
        return Err(refused("+and and +or must be lists"));
    };
    members
        .iter()
        .map(|it| match it {
            Value::Object(filter) => Condition::all(filter, filterable),
            _ => Err(refused("+and and +or must be lists of objects")),
        })
        .collect()
}

fn field_conditions(path: &str, value: &Value) -> Result<Vec<Condition>, Refusal> {
    let condition = |relation, value: &Value| Condition::Field {
        path: path.to_owned(),
        relation,
        value: value.clone(),
    };
    match value {
        Value::Object(relations) => relations
            .iter()
            .map(|(word, value)| match Relation::named(word) {
                Some(relation) => Ok(condition(relation, value)),
                None => Err(refused(&format!("Unknown operator {word}"))),
            })
            .collect(),
        Value::Array(_) => Err(refused(&format!("Cannot compare {path} with a list"))),
        plain => Ok(vec![condition(Relation::Equal, plain)]),
    }
}

fn order(
    filter: &Map<String, Value>,
    filterable: &[&str],
) -> Result<Option<(String, bool)>, Refusal> {
    let descending = match filter.get("+order").and_then(Value::as_str) {
        None | Some("asc") => false,
        Some("desc") => true,
        Some(_) => return Err(refused("+order must be asc or desc")),
    };
    match filter.get("+order_by").and_then(Value::as_str) {
        None => Ok(None),
        Some(field) if filterable.contains(&field) => Ok(Some((field.to_owned(), descending))),
        Some(field) => Err(refused(&format!("Cannot order by {field}"))),
    }
}

/// Finds a field by its dotted name.
fn find<'a>(item: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(item, |it, name| it.get(name))
}

fn compare(left: Option<&Value>, right: Option<&Value>) -> Option<Ordering> {
    match (left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null)) {
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Bool(left), Value::Bool(right)) => Some(left.cmp(right)),
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        _ => None,
    }
}

fn refused(reason: &str) -> Refusal {
    Refusal::field("X-Filter", reason)
}
