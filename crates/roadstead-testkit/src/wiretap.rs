//! A proxy before a PostgreSQL, which counts what passes on the wire.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What belongs together: a transaction, or a statement outside of any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Work {
    /// The texts of the statements, `BEGIN` and `COMMIT` among them.
    pub statements: Vec<String>,
    /// How often the client spoke and then had to wait for an answer.
    pub flights: usize,
}

/// A proxy before a PostgreSQL; dropping it ends it.
#[derive(Debug)]
pub struct Wiretap {
    url: String,
    done: Arc<Mutex<Vec<Work>>>,
    task: JoinHandle<()>,
}

impl Drop for Wiretap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Wiretap {
    /// Starts a proxy before the database at `url`, which speaks without TLS.
    pub async fn start(url: &str) -> Self {
        let (login, rest) = url.split_once('@').expect("a URL with a login");
        let (address, database) = rest.split_once('/').expect("a URL with a database");
        let (database, _) = database.split_once('?').unwrap_or((database, ""));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let own = listener.local_addr().expect("an address");
        let done = Arc::new(Mutex::new(Vec::new()));
        let (theirs, heard) = (address.to_owned(), Arc::clone(&done));
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (theirs, heard) = (theirs.clone(), Arc::clone(&heard));
                tokio::spawn(async move {
                    // Either side may hang up at any time.
                    drop(carry(client, &theirs, &heard).await);
                });
            }
        });
        Self {
            url: format!("{login}@{own}/{database}?sslmode=disable"),
            done,
            task,
        }
    }

    /// Returns the URL that leads through it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns all that was done since it was last asked, in the order in which it ended.
    pub fn take(&self) -> Vec<Work> {
        std::mem::take(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Carries one connection, and hears what the client says.
async fn carry(client: TcpStream, theirs: &str, heard: &Mutex<Vec<Work>>) -> std::io::Result<()> {
    let server = TcpStream::connect(theirs).await?;
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answered = Arc::new(AtomicBool::new(true));
    let answers = Arc::clone(&answered);
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            answers.store(true, Ordering::SeqCst);
            let told = buffer.get(..read).unwrap_or_default();
            if to_client.write_all(told).await.is_err() {
                return;
            }
        }
    });
    let (mut ear, mut buffer) = (Ear::default(), vec![0; 65_536]);
    while let read @ 1.. = from_client.read(&mut buffer).await? {
        if answered.swap(false, Ordering::SeqCst) {
            ear.flight += 1;
        }
        let said = buffer.get(..read).unwrap_or_default();
        let mut done = ear.hear(said);
        if !done.is_empty() {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.append(&mut done);
        }
        to_server.write_all(said).await?;
    }
    Ok(())
}

/// Understands one client.
#[derive(Debug, Default)]
struct Ear {
    pending: Vec<u8>,
    /// The very first message has no type.
    has_begun: bool,
    prepared: HashMap<String, String>,
    bound: HashMap<String, String>,
    flight: usize,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    statements: Vec<String>,
    since: usize,
    is_transaction: bool,
}

impl Ear {
    /// Takes what the client said, and returns what has ended by it.
    fn hear(&mut self, said: &[u8]) -> Vec<Work> {
        self.pending.extend_from_slice(said);
        let mut done = Vec::new();
        while let Some((kind, body)) = self.next_message() {
            done.extend(self.understand(kind, &body));
        }
        done
    }

    fn next_message(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = usize::from(self.has_begun);
        let length = self.pending.get(head..)?.first_chunk::<4>()?;
        // The length counts itself.
        let whole = head + usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let message = self.pending.get(..whole)?;
        let kind = message.first().copied().filter(|_| self.has_begun);
        let body = message.get(head + 4..).unwrap_or_default().to_vec();
        self.pending.drain(..whole);
        self.has_begun = true;
        Some((kind.unwrap_or_default(), body))
    }

    fn understand(&mut self, kind: u8, body: &[u8]) -> Option<Work> {
        let mut texts = body
            .split(|it| *it == 0)
            .map(|it| String::from_utf8_lossy(it).into_owned());
        let mut text = || texts.next().unwrap_or_default();
        match kind {
            b'Q' => {
                self.say(text());
                self.end_lone()
            }
            b'P' => {
                self.open();
                let name = text();
                self.prepared.insert(name, text());
                None
            }
            b'B' => {
                let portal = text();
                let statement = self.prepared.get(&text()).cloned().unwrap_or_default();
                self.bound.insert(portal, statement);
                None
            }
            b'E' => {
                let statement = self.bound.get(&text()).cloned().unwrap_or_default();
                self.say(statement);
                None
            }
            b'S' => self.end_lone(),
            _ => None,
        }
    }

    fn open(&mut self) -> &mut Open {
        self.open.get_or_insert(Open {
            statements: Vec::new(),
            since: self.flight,
            is_transaction: false,
        })
    }

    fn say(&mut self, statement: String) {
        let open = self.open();
        match statement.split_whitespace().next() {
            Some("BEGIN" | "START") => open.is_transaction = true,
            Some("COMMIT" | "ROLLBACK") if !statement.contains("SAVEPOINT") => {
                open.is_transaction = false;
            }
            _ => {}
        }
        open.statements.push(statement);
    }

    /// Ends what is no transaction, or no longer one. What was only prepared goes on.
    fn end_lone(&mut self) -> Option<Work> {
        let flight = self.flight;
        let ends = |it: &mut Open| !it.is_transaction && !it.statements.is_empty();
        let open = self.open.take_if(ends)?;
        Some(Work {
            statements: open.statements,
            flights: flight - open.since + 1,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u8, texts: &[&str]) -> Vec<u8> {
        let body: Vec<u8> = texts.iter().flat_map(|it| it.bytes().chain([0])).collect();
        let length = u32::try_from(body.len() + 4).expect("a short one");
        [vec![kind], length.to_be_bytes().to_vec(), body].concat()
    }

    fn fresh() -> Ear {
        let mut ear = Ear::default();
        // The startup message: a length and no type.
        assert_eq!(ear.hear(&[0, 0, 0, 8, 0, 3, 0, 0]), []);
        ear
    }

    /// Lets the client speak, and wait.
    fn flight(ear: &mut Ear, messages: &[Vec<u8>]) -> Vec<Work> {
        ear.flight += 1;
        let bytes = messages.concat();
        // However the bytes come.
        let (one, other) = bytes.split_at(bytes.len() / 2);
        [ear.hear(one), ear.hear(other)].concat()
    }

    fn statements(done: &[Work]) -> Vec<&str> {
        let all = done.iter().flat_map(|it| &it.statements);
        all.map(String::as_str).collect()
    }

    fn prepare(name: &str, text: &str) -> [Vec<u8>; 3] {
        [
            message(b'P', &[name, text]),
            message(b'D', &[name]),
            message(b'S', &[]),
        ]
    }

    fn execute(name: &str) -> [Vec<u8>; 3] {
        [
            message(b'B', &["", name]),
            message(b'E', &[""]),
            message(b'S', &[]),
        ]
    }

    #[test]
    fn a_transaction_is_counted_from_its_beginning_to_its_end() {
        let mut ear = fresh();
        assert_eq!(flight(&mut ear, &[message(b'Q', &["BEGIN"])]), []);
        assert_eq!(flight(&mut ear, &prepare("s0", "SELECT 1")), []);
        assert_eq!(flight(&mut ear, &execute("s0")), []);
        assert_eq!(
            flight(&mut ear, &[execute("s0"), execute("s0")].concat()),
            []
        );
        let done = flight(&mut ear, &[message(b'Q', &["COMMIT"])]);
        assert_eq!(done.len(), 1);
        assert_eq!(done.first().map(|it| it.flights), Some(5));
        let all = ["BEGIN", "SELECT 1", "SELECT 1", "SELECT 1", "COMMIT"];
        assert_eq!(statements(&done), all);
    }

    #[test]
    fn a_statement_by_itself_ends_with_itself_and_a_savepoint_ends_nothing() {
        let mut ear = fresh();
        assert_eq!(flight(&mut ear, &prepare("s0", "SELECT 1")), []);
        let done = flight(&mut ear, &execute("s0"));
        assert_eq!(done.first().map(|it| it.flights), Some(2));
        let done = flight(&mut ear, &execute("s0"));
        assert_eq!(done.first().map(|it| it.flights), Some(1));
        for statement in ["BEGIN", "SAVEPOINT a", "ROLLBACK TO SAVEPOINT a"] {
            assert_eq!(flight(&mut ear, &[message(b'Q', &[statement])]), []);
        }
        let done = flight(&mut ear, &[message(b'Q', &["ROLLBACK"])]);
        assert_eq!(statements(&done).len(), 4);
    }
}
