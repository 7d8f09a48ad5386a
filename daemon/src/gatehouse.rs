//! Where a core meets its gates and persons: one Unix socket each, HTTP over it.
//!
//! The file's owner and mode say who may connect; SO_PEERCRED names the person. Verbs of gates and verbs of
//! persons are never on one socket.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Path as UrlPath, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use data_encoding::BASE64;
use sluis_core::control::{
    self, Cursor, Done, Exposing, Job, Lane, Letter, Letters, Named, Next, Outcome, Over, Row, Task,
};
use sluis_core::evidence::{Refusal, Verified};
use sluis_core::id::{AgreementId, Time};
use sluis_core::notice::Sort;
use sluis_core::words;
use tokio::net::UnixListener;

use crate::books::counting::UNAPPROVED;
use crate::books::{Books, NOT_HEARD, UNHEARD_MS, backoff_ms, not_heard, sparing_ms};
use crate::error::{CoreError, Effect, Result};
use crate::role::Role;
use crate::store::{Holder, JobRow, Record, Stored, Tx, detail};
use crate::{accounts, durable, files};

/// What both cores can do for their gates.
pub trait Core: Send + Sync + 'static {
    /// The states of its transfers.
    type State: Stored;
    /// Its books.
    fn books(&self) -> &Books;
    /// Which core it is, and its folder for people.
    fn about(&self) -> (Role, PathBuf);
    /// One line of `list`.
    fn row(
        &self,
        tx: &mut Tx,
        record: &Record<Self::State>,
    ) -> impl Future<Output = Result<Row>> + Send;
    /// What the other party said, already kept; an inner error says why it has no effect.
    fn heard(&self, tx: &mut Tx, said: &Verified) -> impl Future<Output = Effect> + Send;
    /// What follows here from a notice that this party made: the transfers that were withdrawn, and those that enough
    /// shares of are out to stay.
    fn noted(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
        sort: Sort,
    ) -> impl Future<Output = Result<(Vec<Named>, Vec<Named>)>> + Send;
    /// What a gate is told to do; nothing where the work has become void.
    fn task(&self, tx: &mut Tx, job: &JobRow) -> impl Future<Output = Result<Option<Task>>> + Send;
    /// A share is about to leave: durable before the answer, or refused.
    fn exposing(&self, tx: &mut Tx, job: &JobRow) -> impl Future<Output = Result<bool>> + Send;
    /// The share of this job was let go in the books: before the gate is told.
    fn exposed(&self, _: &JobRow) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
    /// A gate's word on a job. `true`: it is finished.
    fn done(
        &self,
        tx: &mut Tx,
        job: &JobRow,
        outcome: Outcome,
    ) -> impl Future<Output = Result<bool>> + Send;
    /// How many shares of what is not over may be out, where this store is an older one: all that were not erased.
    fn at_risk(&self, _: &mut Tx, _: &AgreementId) -> impl Future<Output = Result<u64>> + Send {
        async { Ok(0) }
    }
    /// Two persons go on from an older store: what became of each open transfer since is not known here. Takes what was
    /// heard meanwhile, and gives the transfers that end for it.
    fn go_on(
        &self,
        tx: &mut Tx,
        agreement: &AgreementId,
    ) -> impl Future<Output = Result<Vec<Named>>> + Send;
    /// What a crash left in the folders of this side; after a start, and after an older store.
    fn recover(&self) -> impl Future<Output = Result<()>> + Send;
    /// What this side holds a notice of its own against before it is made, and adds to it.
    fn worded(
        &self,
        _: &mut Tx,
        _: &mut control::MakeNotice,
    ) -> impl Future<Output = Result<()>> + Send {
        async { Ok(()) }
    }
    /// What is over by the clock as it is, whether that is believed or not.
    fn over(&self, tx: &mut Tx) -> impl Future<Output = Result<Over>> + Send {
        async {
            let expire = tx.expired(self.books().now()).await?.len();
            Ok(Over { expire, ..Over::default() })
        }
    }
    /// One piece of the core's own work; `false` where nothing is due. `step(now)` of the driver.
    fn step(&self) -> impl Future<Output = Result<bool>> + Send;
    /// Called after a transaction that may have changed a transfer is durable.
    fn after(&self) -> impl Future<Output = ()> + Send;
}

/// Who is at the other end of a Unix socket.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The user.
    pub uid: u32,
}

impl Caller {
    /// The user's name, or its number.
    #[must_use]
    pub fn name(self) -> String {
        accounts::user_name(self.uid).unwrap_or_else(|| self.uid.to_string())
    }
}

/// A gate's socket.
struct Gate<C> {
    core: Arc<C>,
    role: Role,
}

impl<C> Clone for Gate<C> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), role: self.role }
    }
}

/// The verbs that every gate of a core has: it asks for work and says what became of it.
pub fn gate_router<C: Core>(core: Arc<C>, role: Role) -> Router {
    core.books().seen.expect(role);
    let verbs = Router::new().route("/next", post(next::<C>)).route("/done", post(done::<C>));
    bounded(verbs, core, role)
}

/// Those of a gate that carries letters both ways.
pub fn letters_router<C: Core>(core: Arc<C>, role: Role) -> Router {
    let verbs = Router::new()
        .route("/feed/{agreement}", get(cursor::<C>).post(feed::<C>))
        .route("/seen/{agreement}", get(seen::<C>));
    bounded(verbs, core, role)
}

/// That of the one gate which lets shares leave.
pub fn release_router<C: Core>(core: Arc<C>, role: Role) -> Router {
    bounded(Router::new().route("/exposing", post(exposing::<C>)), core, role)
}

fn bounded<C: Core>(verbs: Router<Gate<C>>, core: Arc<C>, role: Role) -> Router {
    verbs.layer(DefaultBodyLimit::max(control::MAX_BYTES)).with_state(Gate { core, role })
}

/// The longest verb that is logged, in characters: a gate may say anything.
const LOGGED: usize = 60;

/// What is refused on a gate's socket is seen: a gate that lies, repeats what was, or talks nonsense is not itself.
pub fn told(router: Router, socket: &str) -> Router {
    let socket = socket.to_owned();
    router.layer(from_fn(move |request: Request, next: middleware::Next| {
        let (socket, verb) = (socket.clone(), request.uri().path().to_owned());
        async move {
            let answer = next.run(request).await;
            if answer.status().is_client_error() {
                let verb: String = verb.chars().take(LOGGED).collect();
                let status = answer.status().as_u16();
                tracing::warn!(socket, verb, status, "what a gate says is refused");
            }
            answer
        }
    }))
}

/// Listens on a socket that its owner and this group may connect to, and nobody else.
///
/// # Errors
/// [`CoreError::Io`] where the socket cannot be made.
pub fn listen(path: &Path, group: Option<u32>) -> Result<UnixListener> {
    let failed = |e| CoreError::Io(path.display().to_string(), e);
    if let Some(folder) = path.parent() {
        durable::folders(folder, 0o777).map_err(failed)?;
    }
    // The store is locked by now: a socket that lies here is a dead one.
    match durable::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(failed(e)),
        _ => {}
    }
    // Bound under another name and renamed: nobody connects before the mode is right.
    let hidden: PathBuf = path.with_extension("new");
    let _ = durable::remove_file(&hidden);
    let listener = UnixListener::bind(&hidden).map_err(failed)?;
    files::give_to_group(&hidden, group).map_err(failed)?;
    durable::mode(&hidden, 0o660).map_err(failed)?;
    durable::rename(&hidden, path).map_err(failed)?;
    Ok(listener)
}

async fn next<C: Core>(State(gate): State<Gate<C>>, Json(ask): Json<Next>) -> Result<Response> {
    let books = gate.core.books();
    books.seen.asked(gate.role, books.now());
    let holder = (ask.instance, ask.task);
    if !books.seen.begins(&holder, ask.ask) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let until =
        tokio::time::Instant::now() + Duration::from_secs(ask.wait.min(control::MAX_WAIT_S));
    let work = books.work(gate.role, ask.lane);
    loop {
        let change = work.notified();
        tokio::pin!(change);
        change.as_mut().enable();
        let due = match lease(&gate, &ask).await? {
            Given::Job(job) => return Ok(Json(job).into_response()),
            Given::NothingBefore(due) => due,
        };
        let due = due.map_or(i64::MAX, |due| due.0 - books.now().0);
        let due = Duration::from_millis(u64::try_from(due.clamp(5, 30_000)).unwrap_or(5));
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        if left.is_zero() {
            return Ok(StatusCode::NO_CONTENT.into_response());
        }
        let _ = tokio::time::timeout(due.min(left), change).await;
    }
}

/// What a gate that asks for work gets.
enum Given {
    Job(Box<Job>),
    /// When the earliest work is due, where any waits.
    NothingBefore(Option<Time>),
}

async fn lease<C: Core>(gate: &Gate<C>, ask: &Next) -> Result<Given> {
    let books = gate.core.books();
    loop {
        let mut tx = match gate.role {
            // What became of a share may be said here, and nothing that was said is unsaid by a power cut.
            Role::Releaser => books.store.begin().await?,
            // After one nobody has a lease any more: gates run where their core runs.
            _ => books.store.begin_unsynced().await?,
        };
        // Nobody listens to an older question any more: what it got would be taken from who asks now.
        if !books.seen.is_newest(&(ask.instance, ask.task), ask.ask) {
            return Ok(Given::NothingBefore(None));
        }
        // Who carries lists asks for each agreement by itself, and also brings what there is to hear of it.
        let unheard = ask.agreement.as_ref().is_some_and(|of| !books.heard.once(of));
        if ask.lane == Lane::Jobs && unheard {
            return Ok(Given::NothingBefore(None));
        }
        let instance = ask.instance.to_string();
        let holder = Holder { instance: &instance, task: ask.task, up: books.up() };
        let row =
            tx.lease(gate.role, ask.lane, ask.agreement.as_ref(), holder, books.now()).await?;
        let Some(row) = row else {
            let due = tx.earliest(gate.role, ask.lane, ask.agreement.as_ref()).await?;
            return Ok(Given::NothingBefore(due));
        };
        let task = match ask.lane {
            // Nor does who asks for the work of all of them get any of that one.
            Lane::Jobs if !books.heard.once(&row.agreement) => {
                Err(CoreError::refused(NOT_HEARD, not_heard(&row.agreement)))
            }
            Lane::Jobs => gate.core.task(&mut tx, &row).await,
            Lane::Post => Ok(post_task(&row)),
            Lane::Mail => {
                Ok(serde_json::from_str(&row.work).ok().map(|it| Task::Remind { reminder: it }))
            }
        };
        let task = match task {
            Ok(task) => task,
            // One job that cannot be told holds up no other.
            Err(error) => {
                let waits = |code: &str| [NOT_HEARD, UNAPPROVED].contains(&code);
                let waits = matches!(&error, CoreError::Refused(why) if waits(&why.code));
                if !waits {
                    tracing::warn!(job = row.id, %error, "a job cannot be given");
                }
                // Nothing of what was begun stays: half a step would be no step of the table.
                drop(tx);
                tx = books.store.begin_unsynced().await?;
                let (now, why) = (books.now(), error.words());
                if waits {
                    tx.not_given(&row, now.plus_ms(UNHEARD_MS), &why).await?;
                } else {
                    tx.given_up(&row, now.plus_ms(backoff_ms(row.attempts)), &why).await?;
                }
                books.commit(tx).await?;
                continue;
            }
        };
        if task.is_none() {
            tx.finish(row.id).await?;
        }
        books.commit(tx).await?;
        if let Some(task) = task {
            return Ok(Given::Job(Box::new(Job {
                id: row.id,
                lease: row.attempts,
                agreement: row.agreement,
                transfer: row.transfer,
                task,
            })));
        }
    }
}

fn post_task(row: &JobRow) -> Option<Task> {
    let letter: Letter = serde_json::from_str(&row.work).ok()?;
    Some(Task::Post { number: letter.number, letter: letter.letter, place: letter.place })
}

async fn exposing<C: Core>(
    State(gate): State<Gate<C>>,
    Json(ask): Json<Exposing>,
) -> Result<StatusCode> {
    let books = gate.core.books();
    let mut tx = books.store.begin().await?;
    let job = own_job(&mut tx, &gate, ask.job, ask.lease).await?;
    books.may_speak(&mut tx, &job.agreement).await?;
    let go = gate.core.exposing(&mut tx, &job).await?;
    if !go {
        tx.finish(job.id).await?;
    }
    books.commit(tx).await?;
    if go {
        gate.core.exposed(&job).await?;
    }
    gate.core.after().await;
    Ok(if go { StatusCode::NO_CONTENT } else { StatusCode::CONFLICT })
}

async fn done<C: Core>(State(gate): State<Gate<C>>, Json(word): Json<Done>) -> Result<StatusCode> {
    let books = gate.core.books();
    let mut tx = match word.outcome {
        // After a power cut it goes again: the same letter is the same, and a mail no secret.
        Outcome::Posted => books.store.begin_unsynced().await?,
        _ => books.store.begin().await?,
    };
    let job = own_job(&mut tx, &gate, word.job, word.lease).await?;
    let again = match &word.outcome {
        Outcome::Again { why } | Outcome::PutOff { why, .. } => Some(why.clone()),
        _ => None,
    };
    let finished = match word.outcome {
        // Of a letter or a mail; said of a transfer's work it ends nothing.
        Outcome::Posted if job.lane != Lane::Jobs => true,
        // A letter or a mail that did not get there waits; a letter keeps its place at the head of the queue.
        _ if job.lane != Lane::Jobs => false,
        outcome => gate.core.done(&mut tx, &job, outcome).await?,
    };
    if !finished && job.lane == Lane::Post {
        // It may be that the other party has another one of ours by that number: what it has seen tells.
        books.heard.again(&job.agreement);
    }
    if finished {
        tx.finish(job.id).await?;
    } else {
        let sparing = gate.role == Role::Releaser || job.lane == Lane::Mail;
        let wait = if sparing { sparing_ms } else { backoff_ms };
        let due = books.now().plus_ms(wait(job.attempts));
        let why = again.unwrap_or_else(|| words!("nog niet", "not yet"));
        tx.again(&job, due, &why).await?;
    }
    books.commit(tx).await?;
    gate.core.after().await;
    Ok(StatusCode::NO_CONTENT)
}

/// A gate speaks only of its own work, and only of the lease that it has.
async fn own_job<C: Core>(tx: &mut Tx, gate: &Gate<C>, id: i64, lease: i64) -> Result<JobRow> {
    let job = tx.job(id).await?.filter(|job| job.gate == gate.role && job.attempts == lease);
    job.ok_or_else(|| {
        CoreError::to_gate("no-such-job", format!("job {id} is not under way at this gate"))
    })
}

async fn cursor<C: Core>(
    State(gate): State<Gate<C>>,
    UrlPath(agreement): UrlPath<AgreementId>,
) -> Result<Json<Cursor>> {
    let books = gate.core.books();
    let mut tx = books.store.begin().await?;
    Ok(Json(reading(books, &mut tx, &agreement).await?))
}

async fn reading(books: &Books, tx: &mut Tx, agreement: &AgreementId) -> Result<Cursor> {
    let after = books.cursor(tx, agreement).await?.number;
    let keys = books.keys_of_seen(tx, agreement).await?;
    Ok(Cursor { after, heard: books.heard.is_all(agreement), keys })
}

/// How far this core has heard the other party, signed and sealed for it.
async fn seen<C: Core>(
    State(gate): State<Gate<C>>,
    UrlPath(agreement): UrlPath<AgreementId>,
) -> Result<Json<Letter>> {
    let books = gate.core.books();
    let mut tx = books.store.begin().await?;
    Ok(Json(books.seen_letter(&mut tx, &agreement).await?))
}

/// Letters from the other core, in order. Each is entered with its effect in one transaction.
async fn feed<C: Core>(
    State(gate): State<Gate<C>>,
    UrlPath(agreement): UrlPath<AgreementId>,
    Json(letters): Json<Letters>,
) -> Result<Json<Cursor>> {
    let books = gate.core.books();
    for letter in &letters.letters {
        let mut tx = books.store.begin().await?;
        let bytes = BASE64.decode(letter.letter.as_bytes());
        let bytes = bytes.map_err(|_| CoreError::to_gate("letter", "a letter is not base64"))?;
        let said = books.read_letter(&mut tx, &agreement, &bytes).await?;
        match books.place(&mut tx, &said).await {
            Ok(true) => {}
            Ok(false) => continue,
            Err(CoreError::Evidence(fork @ Refusal::Fork(_))) => {
                books.contradict(tx, &said).await?;
                return Err(fork.into());
            }
            Err(other) => return Err(other),
        }
        tx.keep_statement(books.now(), &said).await?;
        if books.is_set_back(&mut tx, &said).await? {
            tx.defer(&said.digest()).await?;
        } else {
            take_effect(&*gate.core, &mut tx, &said).await?;
        }
        books.commit(tx).await?;
        gate.core.after().await;
    }
    let mut tx = books.store.begin().await?;
    let mut word = None;
    if let Some(letter) = &letters.seen {
        let bytes = BASE64.decode(letter.as_bytes());
        let bytes = bytes.map_err(|_| CoreError::to_gate("letter", "a letter is not base64"))?;
        word = books.hear_seen(&mut tx, &agreement, &bytes).await?;
    }
    let mut cursor = reading(books, &mut tx, &agreement).await?;
    // A word that cannot be read is not the same as none.
    let is_word = letters.seen.is_none() || word.is_some();
    let is_end = letters.letters.is_empty() && is_word;
    let all = is_end && books.is_all(&mut tx, &agreement, word.as_ref()).await?;
    books.commit(tx).await?;
    if all {
        books.hear_all(&agreement).await?;
    }
    cursor.heard = books.heard.is_all(&agreement);
    Ok(Json(cursor))
}

/// What follows from a statement that is kept; one that has no effect is kept so, with why.
///
/// # Errors
/// [`CoreError`].
pub async fn take_effect<C: Core>(core: &C, tx: &mut Tx, said: &Verified) -> Result<()> {
    let Err(why) = core.heard(tx, said).await? else { return Ok(()) };
    let header = &said.statement().header;
    tracing::warn!(
        kind = said.statement().body.kind(),
        number = header.number,
        %why,
        "a statement has no effect"
    );
    tx.without_effect(&said.digest()).await?;
    let detail = detail([
        ("agreement", header.agreement.to_string()),
        ("statement", said.digest().to_string()),
        ("why", why.en),
        ("nl", why.nl),
    ]);
    tx.enter(core.books().now(), "no-effect", header.transfer, detail).await?;
    Ok(())
}
