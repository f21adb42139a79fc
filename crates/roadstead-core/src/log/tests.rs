//! A log written down page by page, and what a walk through it finds and asks for.

use std::sync::Mutex;

use super::*;
use crate::{ActionKind, OperationStatus, RemoteOperation, RemoteOperationId};

const NOON: i64 = 1_800_000_000;

#[derive(Clone, Debug)]
struct Row {
    number: u64,
    /// Seconds before noon; unreadable where absent.
    ago: Option<i64>,
    word: &'static str,
}

fn row(number: u64, ago: i64) -> Row {
    Row {
        number,
        ago: Some(ago),
        word: "reboot",
    }
}

/// A log of these pages, which notes what it is asked for.
#[derive(Debug, Default)]
struct Paper {
    pages: Vec<Vec<Row>>,
    odd_page: Option<u32>,
    broken_page: Option<u32>,
    asked: Mutex<Vec<u32>>,
}

impl Paper {
    fn of(pages: impl IntoIterator<Item = Vec<Row>>) -> Self {
        Self {
            pages: pages.into_iter().collect(),
            ..Self::default()
        }
    }

    async fn read(&self, since: Since) -> Result<(Vec<u64>, u64)> {
        let log = read_log(self, &since).await?;
        let ids = log.entries.iter().map(|it| it.operation.id.as_str());
        Ok((
            ids.map(|it| it.parse().unwrap()).collect(),
            log.end.as_str().parse().unwrap(),
        ))
    }

    /// Returns which pages were asked for since this was last asked.
    fn asked(&self) -> Vec<u32> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[async_trait]
impl NumberedLog for Paper {
    type Row = Row;

    fn provider(&self) -> ProviderKind {
        "paper".into()
    }

    async fn fetch(&self, page: u32) -> Result<LogPage<Row>> {
        self.asked.lock().unwrap().push(page);
        if self.broken_page == Some(page) {
            return Err(Error::new(
                self.provider(),
                OPERATION,
                ErrorKind::Server,
                "torn",
            ));
        }
        let place = usize::try_from(page - 1).unwrap();
        Ok(LogPage {
            rows: self.pages.get(place).cloned().unwrap_or_default(),
            has_odd: self.odd_page == Some(page),
            next: (place + 1 < self.pages.len()).then_some(page + 1),
            // The vendor's clock goes on from page to page.
            answered: Timestamp::from_second(NOON + i64::from(page - 1) * 60).unwrap(),
        })
    }

    fn number(row: &Row) -> u64 {
        row.number
    }

    fn started(row: &Row) -> Option<Timestamp> {
        Timestamp::from_second(NOON - row.ago?).ok()
    }

    fn is_legible(row: &Row) -> bool {
        !row.word.is_empty()
    }

    fn entry(&self, row: Row) -> Option<LoggedOperation> {
        (row.word != "elsewhere").then(|| LoggedOperation {
            kind: Some(ActionKind::Reboot),
            started: Self::started(&row),
            operation: RemoteOperation {
                id: RemoteOperationId(row.number.to_string().into()),
                instance: None,
                status: OperationStatus::Succeeded,
                poll_after: Duration::ZERO,
            },
        })
    }
}

fn place(number: u64) -> Since {
    Since::Place(LogPlace::from(number.to_string()))
}

fn ago(seconds: u64) -> Since {
    Since::Ago(Duration::from_secs(seconds))
}

fn three_pages() -> Paper {
    let page = |numbers: [u64; 2]| numbers.map(|it| row(it, 60 - i64::try_from(it).unwrap() * 10));
    Paper::of([page([6, 5]), page([4, 3]), page([2, 1])].map(Vec::from))
}

#[tokio::test]
async fn where_it_ends_is_told_by_the_first_page() {
    let paper = three_pages();
    assert_eq!(paper.read(Since::Now).await.unwrap(), (vec![], 6));
    assert_eq!(paper.asked(), [1]);
    let empty = Paper::default();
    assert_eq!(empty.read(Since::Now).await.unwrap(), (vec![], 0));
    assert_eq!(empty.read(place(7)).await.unwrap(), (vec![], 7));
}

#[tokio::test]
async fn what_came_after_a_place_is_read_as_far_as_the_place_and_oldest_first() {
    let paper = three_pages();
    for (from, entries, pages) in [
        (6, vec![], vec![1]),
        (5, vec![6], vec![1]),
        (4, vec![5, 6], vec![1, 2]),
        (3, vec![4, 5, 6], vec![1, 2]),
        (0, vec![1, 2, 3, 4, 5, 6], vec![1, 2, 3]),
    ] {
        assert_eq!(paper.read(place(from)).await.unwrap(), (entries, 6));
        assert_eq!(paper.asked(), pages, "after {from}");
    }
}

#[tokio::test]
async fn how_far_back_is_counted_from_the_first_answer() {
    // The rows began 0, 10, … 50 seconds before the first answer.
    let paper = three_pages();
    assert_eq!(paper.read(ago(15)).await.unwrap(), (vec![5, 6], 6));
    assert_eq!(paper.asked(), [1, 2]);
    assert_eq!(paper.read(ago(50)).await.unwrap().0, [1, 2, 3, 4, 5, 6]);
    let all = Since::Ago(Duration::MAX);
    assert_eq!(paper.read(all).await.unwrap().0.len(), 6);
}

#[tokio::test]
async fn rows_out_of_order_are_all_read_and_a_row_that_comes_twice_counts_once() {
    let shuffled = Paper::of([
        vec![row(5, 0), row(6, 0), row(2, 40)],
        vec![row(4, 20), row(2, 40)],
        vec![row(3, 30), row(1, 50)],
    ]);
    assert_eq!(shuffled.read(place(2)).await.unwrap().0, [3, 4, 5, 6]);
    assert_eq!(shuffled.asked(), [1, 2, 3]);
    // Two rows more were written between the two pages.
    let moved = Paper::of([
        vec![row(4, 0), row(3, 10)],
        vec![row(4, 0), row(3, 10), row(2, 20)],
        vec![row(1, 30)],
    ]);
    assert_eq!(moved.read(place(1)).await.unwrap().0, [2, 3, 4]);
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_where_it_may_be_what_is_looked_for() {
    let dumb = |number, ago| Row {
        word: "",
        ..row(number, ago)
    };
    let paper = Paper::of([vec![row(3, 0), dumb(2, 10), row(1, 20)]]);
    for (since, is_told) in [(place(2), true), (place(1), false), (ago(30), false)] {
        let told = paper.read(since.clone()).await;
        assert_eq!(told.is_ok(), is_told, "{since:?}");
        if let Err(error) = told {
            assert_eq!(error.kind, ErrorKind::Decode, "{error:?}");
        }
    }
    let timeless = Row {
        ago: None,
        ..row(3, 0)
    };
    let paper = Paper::of([vec![timeless, row(2, 10)]]);
    assert_eq!(paper.read(place(1)).await.unwrap().0, [2, 3]);
    let error = paper.read(ago(30)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Decode, "{error:?}");

    let odd = Paper {
        odd_page: Some(2),
        ..three_pages()
    };
    assert_eq!(odd.read(place(5)).await.unwrap().0, [6]);
    let error = odd.read(place(3)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Decode, "{error:?}");
}

#[tokio::test]
async fn what_is_not_about_the_server_is_left_out_and_still_counts_as_read() {
    let elsewhere = Row {
        word: "elsewhere",
        ..row(9, 0)
    };
    let paper = Paper::of([vec![elsewhere, row(8, 10)]]);
    assert_eq!(paper.read(place(7)).await.unwrap(), (vec![8], 9));
}

#[tokio::test]
async fn a_page_that_does_not_come_makes_the_whole_log_an_error() {
    let torn = Paper {
        broken_page: Some(2),
        ..three_pages()
    };
    let error = torn.read(place(1)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Server, "{error:?}");
    assert_eq!(torn.read(place(5)).await.unwrap().0, [6]);
}

#[tokio::test]
async fn a_place_of_another_log_is_invalid_and_nothing_is_asked() {
    let paper = three_pages();
    for odd in ["", "x", "-1", "18446744073709551616"] {
        let since = Since::Place(LogPlace::from(odd));
        let error = paper.read(since).await.unwrap_err();
        assert_eq!(
            (error.kind, error.outcome),
            (ErrorKind::Invalid, Outcome::NotExecuted)
        );
        assert_eq!(error.field.as_deref(), Some("since"));
        assert_eq!(error.provider.as_str(), "paper");
    }
    assert!(paper.asked().is_empty());
}
