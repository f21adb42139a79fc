//! Pages of lists, and where they begin and end.

use jiff::Timestamp;
use roadstead_core::{InstanceId, OperationId};

/// A page of servers that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// In what order, and from where on.
    pub by: ListedBy,
    /// Whether the greatest comes first.
    pub descending: bool,
    /// How many at most.
    pub limit: u32,
}

impl Default for Listing {
    /// The newest first, fifty of them.
    fn default() -> Self {
        Self {
            by: ListedBy::Created { after: None },
            descending: true,
            limit: 50,
        }
    }
}

/// By what servers are listed, and behind which place. Equal ones follow each other by their
/// ids, so that every order is total. The server at the place need not be there any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListedBy {
    /// By when they were accepted.
    Created {
        /// Behind the one with this time and id.
        after: Option<(Timestamp, InstanceId)>,
    },
    /// By the label in lower case, letter by letter as Unicode numbers them.
    Label {
        /// Behind the one with this folded label and id.
        after: Option<(String, InstanceId)>,
    },
    /// By the vendor's id of the region, likewise.
    Region {
        /// Behind the one with this region and id.
        after: Option<(String, InstanceId)>,
    },
}

/// A page of servers, and where the next one begins.
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceSlice {
    /// The servers.
    pub items: Vec<super::Instance>,
    /// Where the list goes on; `None` exactly when this is the end of it.
    pub next: Option<ListedBy>,
}

/// A page of operations, and where the next one begins.
#[derive(Clone, Debug, PartialEq)]
pub struct OperationSlice {
    /// The operations.
    pub items: Vec<super::Operation>,
    /// The last one, behind which the list goes on; `None` exactly when this is the end of it.
    pub next: Option<OperationId>,
}
