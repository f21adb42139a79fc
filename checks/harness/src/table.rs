//! The table: a row per thing that was tried, and what became of everything in it.

use std::fmt;

/// What the columns are called, in their order.
const COLUMNS: [&str; 11] = [
    "accepted",
    "done as asked",
    "refused",
    "failed without refusal",
    "attention",
    "quarantined",
    "leaked",
    "duplicated",
    "lost",
    "wrongly deleted",
    "stuck",
];

/// What became of everything that was asked for in one try.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Row {
    /// Operations that were accepted.
    pub accepted: u32,
    /// Succeeded, and the vendor's books agree.
    pub done: u32,
    /// Failed, and the refusal stands in the vendor's journal.
    pub refused: u32,
    /// Failed otherwise.
    pub failed: u32,
    /// Left to a person.
    pub attention: u32,
    /// Servers with our mark and no row, shown to the operator.
    pub quarantined: u32,
    /// Servers with our mark that nobody knows of.
    pub leaked: u32,
    /// Servers that exist twice, or actions that were done twice.
    pub duplicated: u32,
    /// Servers in our books that are not at the vendor.
    pub lost: u32,
    /// Servers that nobody asked to delete.
    pub wrongly_deleted: u32,
    /// Operations that have not ended.
    pub stuck: u32,
}

impl Row {
    /// Returns the figures in the order of the columns.
    #[must_use]
    pub const fn figures(&self) -> [u32; 11] {
        [
            self.accepted,
            self.done,
            self.refused,
            self.failed,
            self.attention,
            self.quarantined,
            self.leaked,
            self.duplicated,
            self.lost,
            self.wrongly_deleted,
            self.stuck,
        ]
    }

    /// Returns whether every accepted operation is in exactly one of the columns.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let ended = [
            self.done,
            self.refused,
            self.failed,
            self.attention,
            self.stuck,
        ];
        let ended: u64 = ended.into_iter().map(u64::from).sum();
        u64::from(self.accepted) == ended
    }

    /// Adds another row to this one.
    pub fn add(&mut self, other: &Self) {
        let pairs: [(&mut u32, u32); 11] = [
            (&mut self.accepted, other.accepted),
            (&mut self.done, other.done),
            (&mut self.refused, other.refused),
            (&mut self.failed, other.failed),
            (&mut self.attention, other.attention),
            (&mut self.quarantined, other.quarantined),
            (&mut self.leaked, other.leaked),
            (&mut self.duplicated, other.duplicated),
            (&mut self.lost, other.lost),
            (&mut self.wrongly_deleted, other.wrongly_deleted),
            (&mut self.stuck, other.stuck),
        ];
        for (mine, theirs) in pairs {
            *mine = mine.saturating_add(theirs);
        }
    }
}

/// What a line of the table says.
#[derive(Debug, Clone)]
enum Line {
    Figures {
        name: String,
        row: Row,
        note: String,
    },
    Words {
        name: String,
        words: String,
    },
}

/// Rows with their names. `Display` prints them with the sum of all.
#[derive(Debug, Clone, Default)]
pub struct Table {
    lines: Vec<Line>,
}

impl Table {
    /// Adds a row. The note stands behind it: empty where all is well.
    pub fn push(&mut self, name: impl Into<String>, row: Row, note: impl Into<String>) {
        self.lines.push(Line::Figures {
            name: name.into(),
            row,
            note: note.into(),
        });
    }

    /// Adds a line without figures, such as for what is not built yet.
    pub fn say(&mut self, name: impl Into<String>, words: impl Into<String>) {
        self.lines.push(Line::Words {
            name: name.into(),
            words: words.into(),
        });
    }

    /// Returns the sum of all rows.
    #[must_use]
    pub fn sum(&self) -> Row {
        let mut sum = Row::default();
        for line in &self.lines {
            if let Line::Figures { row, .. } = line {
                sum.add(row);
            }
        }
        sum
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.lines.iter().map(|it| match it {
            Line::Figures { name, .. } | Line::Words { name, .. } => name.chars().count(),
        });
        let width = names.max().unwrap_or(0).max(3);
        let heads: Vec<Vec<&str>> = COLUMNS.iter().map(|it| it.split(' ').collect()).collect();
        let widths: Vec<usize> = heads
            .iter()
            .map(|it| it.iter().map(|word| word.len()).max().unwrap_or(0).max(5))
            .collect();
        let height = heads.iter().map(Vec::len).max().unwrap_or(0);
        for level in 0..height {
            write!(f, "{:width$}", "")?;
            for (head, column) in heads.iter().zip(&widths) {
                // The words stand at the bottom.
                let missing = height.saturating_sub(head.len());
                let word = level.checked_sub(missing).and_then(|it| head.get(it));
                write!(f, "  {:>column$}", word.copied().unwrap_or_default())?;
            }
            writeln!(f)?;
        }
        let figures = |f: &mut fmt::Formatter<'_>, name: &str, row: &Row, note: &str| {
            write!(f, "{name:width$}")?;
            for (figure, column) in row.figures().iter().zip(&widths) {
                write!(f, "  {figure:>column$}")?;
            }
            if row.adds_up() {
                writeln!(f, "{}{note}", if note.is_empty() { "" } else { "  " })
            } else {
                writeln!(f, "  DOES NOT ADD UP  {note}")
            }
        };
        for line in &self.lines {
            match line {
                Line::Figures { name, row, note } => figures(f, name, row, note)?,
                Line::Words { name, words } => writeln!(f, "{name:width$}  {words}")?,
            }
        }
        figures(f, "sum", &self.sum(), "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_does_not_add_up_is_said_to() {
        let row = Row {
            accepted: 3,
            done: 1,
            refused: 1,
            ..Row::default()
        };
        assert!(!row.adds_up());
        let mut table = Table::default();
        table.push("C1", row, "");
        assert!(table.to_string().contains("DOES NOT ADD UP"));
        let stuck = Row { stuck: 1, ..row };
        assert!(stuck.adds_up());
    }

    #[test]
    fn the_columns_are_these_and_the_rows_are_summed() {
        let mut table = Table::default();
        for name in ["C1 before", "C2"] {
            let row = Row {
                accepted: 2,
                done: 2,
                ..Row::default()
            };
            table.push(name, row, "");
        }
        table.say("R1", "not built yet");
        let text = table.to_string();
        let words: Vec<&str> = text.split_whitespace().collect();
        for column in COLUMNS {
            for word in column.split(' ') {
                assert!(words.contains(&word), "{word} is not in\n{text}");
            }
        }
        assert_eq!(table.sum().done, 4);
        let last = text.lines().last().unwrap();
        let sums: Vec<&str> = last.split_whitespace().collect();
        assert_eq!(sums[..3], ["sum", "4", "4"]);
        assert!(text.contains("R1         not built yet"));
    }
}
