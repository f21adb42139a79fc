//! Pages of lists, and the cursors that lead from one to the next.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use roadstead_core::InstanceId;
use roadstead_repository::{ListedBy, Repository, SalePlanFilter, SalePlanOrder, Tenant};
use uuid::Uuid;

use crate::error::{Error, Result};

/// The longest page of a list.
const LONGEST_PAGE: u32 = 200;

/// How much of its hash a cursor carries. Guessing it gains nothing but a page of one's own list.
const TAG_LEN: usize = 12;

const ID_LEN: usize = 16;

/// Which page of a list.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// Where it begins: [`Page::next`] of the page before. Without it, at the beginning.
    pub cursor: Option<String>,
    /// How many at most: 1 to 200.
    pub limit: u32,
}

impl Default for PageRequest {
    /// The first page, of fifty.
    fn default() -> Self {
        Self {
            cursor: None,
            limit: 50,
        }
    }
}

impl PageRequest {
    pub(crate) fn checked_limit(&self) -> Result<u32> {
        if (1..=LONGEST_PAGE).contains(&self.limit) {
            return Ok(self.limit);
        }
        let message = format!("must be between 1 and {LONGEST_PAGE}");
        Err(Error::invalid("limit", message))
    }
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page<T> {
    /// What stands on it.
    pub items: Vec<T>,
    /// Leads to the next page; `None` exactly on the last one.
    pub next: Option<String>,
}

/// In what order servers are listed. Every one of them is read from an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ServerOrder {
    /// The oldest first.
    Created,
    /// The newest first.
    #[default]
    CreatedDescending,
    /// By label in lower case, letter by letter as Unicode numbers them.
    Label,
    /// The same backwards.
    LabelDescending,
    /// By the vendor's id of the region.
    Region,
    /// The same backwards.
    RegionDescending,
}

impl ServerOrder {
    /// Every order.
    pub const ALL: [Self; 6] = [
        Self::Created,
        Self::CreatedDescending,
        Self::Label,
        Self::LabelDescending,
        Self::Region,
        Self::RegionDescending,
    ];

    /// Returns the word that asks for it: a field's name, with a minus for backwards.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created_at",
            Self::CreatedDescending => "-created_at",
            Self::Label => "label",
            Self::LabelDescending => "-label",
            Self::Region => "region",
            Self::RegionDescending => "-region",
        }
    }

    /// Reads the word that asks for an order.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    pub(crate) const fn is_descending(self) -> bool {
        match self {
            Self::Created | Self::Label | Self::Region => false,
            Self::CreatedDescending | Self::LabelDescending | Self::RegionDescending => true,
        }
    }

    /// Returns where a page begins.
    pub(crate) fn place(
        self,
        repository: &Repository,
        tenant: &Tenant,
        cursor: Option<&str>,
    ) -> Result<ListedBy> {
        let cursors = Cursors::of_servers(repository, tenant, self);
        let place = cursor.map(|it| cursors.open(it)).transpose()?;
        Ok(match self {
            Self::Created | Self::CreatedDescending => ListedBy::Created {
                after: place.map(|it| time(&it)).transpose()?,
            },
            Self::Label | Self::LabelDescending => ListedBy::Label {
                after: place.map(text).transpose()?,
            },
            Self::Region | Self::RegionDescending => ListedBy::Region {
                after: place.map(text).transpose()?,
            },
        })
    }

    /// Returns the cursor that leads to a place.
    pub(crate) fn cursor(
        self,
        repository: &Repository,
        tenant: &Tenant,
        place: &ListedBy,
    ) -> String {
        let cursors = Cursors::of_servers(repository, tenant, self);
        match place {
            ListedBy::Created {
                after: Some((time, id)),
            } => cursors.seal(&time.as_microsecond().to_be_bytes(), id.0),
            ListedBy::Label {
                after: Some((text, id)),
            }
            | ListedBy::Region {
                after: Some((text, id)),
            } => cursors.seal(text.as_bytes(), id.0),
            ListedBy::Created { after: None }
            | ListedBy::Label { after: None }
            | ListedBy::Region { after: None } => {
                unreachable!("a list that goes on goes on behind something")
            }
        }
    }
}

/// The cursors of one list in one order. They hold the place where a page ends, and a keyed hash
/// of it with the list's name: whatever we did not make for this very list is refused, instead of
/// leading to a page that is empty or another list's.
pub(crate) struct Cursors<'a> {
    repository: &'a Repository,
    list: Vec<u8>,
}

/// A place in a list: what it is ordered by there, and the id.
pub(crate) type Place = (Vec<u8>, Uuid);

impl<'a> Cursors<'a> {
    fn of_servers(repository: &'a Repository, tenant: &Tenant, order: ServerOrder) -> Self {
        let list = [
            b"servers/".as_slice(),
            tenant.org.0.as_bytes(),
            order.as_str().as_bytes(),
        ]
        .concat();
        Self { repository, list }
    }

    pub(crate) fn of_operations(
        repository: &'a Repository,
        tenant: &Tenant,
        instance: InstanceId,
    ) -> Self {
        let [org, instance] = [tenant.org.0, instance.0];
        let list = [
            b"operations/".as_slice(),
            org.as_bytes(),
            instance.as_bytes(),
        ]
        .concat();
        Self { repository, list }
    }

    /// Plans are the same for all organizations; what an hour costs depends on the region.
    pub(crate) fn of_plans(
        repository: &'a Repository,
        filter: &SalePlanFilter,
        order: SalePlanOrder,
    ) -> Self {
        let region = filter.region.as_ref().map_or("", |it| it.as_str());
        let list = format!("plans/{}/{region}", order.as_str()).into_bytes();
        Self { repository, list }
    }

    pub(crate) fn of_ssh_keys(repository: &'a Repository, tenant: &Tenant) -> Self {
        let list = [b"ssh_keys/".as_slice(), tenant.org.0.as_bytes()].concat();
        Self { repository, list }
    }

    pub(crate) fn of_activity(
        repository: &'a Repository,
        tenant: &Tenant,
        subject: Option<&str>,
    ) -> Self {
        let list = [
            b"activity/".as_slice(),
            tenant.org.0.as_bytes(),
            subject.unwrap_or_default().as_bytes(),
        ]
        .concat();
        Self { repository, list }
    }

    /// Of a list that is the operators' alone.
    pub(crate) fn of_operators(repository: &'a Repository, list: &str) -> Self {
        let list = format!("operators/{list}").into_bytes();
        Self { repository, list }
    }

    /// Makes the cursor of a place.
    pub(crate) fn seal(&self, key: &[u8], id: Uuid) -> String {
        let mut bytes = [key, id.as_bytes()].concat();
        let tag = self.tag(&bytes);
        bytes.extend(tag);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads the place from a cursor of this list.
    pub(crate) fn open(&self, cursor: &str) -> Result<Place> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_bad| refused())?;
        let (place, tag) = split_end(&bytes, TAG_LEN).ok_or_else(refused)?;
        if self.tag(place) != tag {
            return Err(refused());
        }
        let (key, id) = split_end(place, ID_LEN).ok_or_else(refused)?;
        let id = Uuid::from_slice(id).map_err(|_bad| refused())?;
        Ok((key.to_vec(), id))
    }

    /// Reads the id from a cursor of this list, where that is the whole order.
    pub(crate) fn open_id(&self, cursor: &str) -> Result<Uuid> {
        self.open(cursor).map(|(_, id)| id)
    }

    /// Makes a page of one line more than it holds, which tells whether the list goes on.
    pub(crate) fn cut<T>(&self, mut items: Vec<T>, limit: u32, id: impl Fn(&T) -> Uuid) -> Page<T> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let goes_on = items.len() > limit;
        items.truncate(limit);
        let last = items.last().filter(|_| goes_on);
        let next = last.map(|it| self.seal(&[], id(it)));
        Page { items, next }
    }

    fn tag(&self, place: &[u8]) -> Vec<u8> {
        let length = u64::try_from(self.list.len()).unwrap_or(u64::MAX);
        let bytes = [&length.to_be_bytes(), self.list.as_slice(), place].concat();
        let mut tag = self.repository.cursor_hash(&bytes);
        tag.truncate(TAG_LEN);
        tag
    }
}

fn split_end(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(bytes.len().checked_sub(length)?)
}

fn time((key, id): &Place) -> Result<(Timestamp, InstanceId)> {
    let key = key.as_slice().try_into().map_err(|_bad| refused())?;
    let time = Timestamp::from_microsecond(i64::from_be_bytes(key));
    Ok((time.map_err(|_bad| refused())?, InstanceId(*id)))
}

fn text((key, id): Place) -> Result<(String, InstanceId)> {
    let text = String::from_utf8(key).map_err(|_bad| refused())?;
    Ok((text, InstanceId(id)))
}

pub(crate) fn refused() -> Error {
    Error::invalid(
        "cursor",
        "this is no cursor of this list in this order; use `next_cursor` of the page before",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_found_by_its_word() {
        for order in ServerOrder::ALL {
            assert_eq!(ServerOrder::from_word(order.as_str()), Some(order));
            assert_eq!(order.as_str().starts_with('-'), order.is_descending());
        }
        assert_eq!(ServerOrder::from_word("price"), None);
    }

    #[test]
    fn a_page_has_between_1_and_200_items() {
        let page = |limit| PageRequest {
            cursor: None,
            limit,
        };
        assert!(page(0).checked_limit().is_err());
        assert_eq!(page(1).checked_limit().unwrap(), 1);
        assert_eq!(page(200).checked_limit().unwrap(), 200);
        assert!(page(201).checked_limit().is_err());
    }
}
