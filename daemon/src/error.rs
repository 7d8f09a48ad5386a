//! What goes wrong in a core: one type, told in both languages, and as an answer over its sockets.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use sluis_core::control::Refused;
use sluis_core::evidence::Refusal;
use sluis_core::id::{AgreementId, TransferId};
use sluis_core::ledger::ChainError;
use sluis_core::mailbox::LetterError;
use sluis_core::statement::{FormError, SignatureError};
use sluis_core::transfer::Illegal;
use sluis_core::words;
use sluis_core::words::Words;

use crate::store::StoreError;

/// What went wrong in a core.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No evidence.
    #[error(transparent)]
    Evidence(#[from] Refusal),
    /// A statement that cannot be written.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A key that does not serve.
    #[error(transparent)]
    Key(#[from] SignatureError),
    /// A letter that cannot be written or read.
    #[error(transparent)]
    Letter(#[from] LetterError),
    /// The table knows no such step.
    #[error(transparent)]
    Illegal(#[from] Illegal),
    /// A statement's key, by the agreement, is none of those that lie here.
    #[error(
        "{agreement} has this party's statement {number} signed by {public}, and that key does not lie in the credential \
         statement-key: put it back below the newest one, or replace it (docs/operations.md, Changing keys)"
    )]
    MissingKey {
        /// Under which agreement.
        agreement: AgreementId,
        /// The number.
        number: u64,
        /// The public half.
        public: String,
    },
    /// A transfer rests on an agreement that is not here.
    #[error("agreement {0} is not installed here; add it with `sluis agreement add`")]
    NoAgreement(String),
    /// The store is not what was written into it.
    #[error(
        "the ledger does not hold: {0}. Nothing is done with this store: put a good backup in its place, and keep this one"
    )]
    Ledger(#[from] ChainError),
    /// A file of ours.
    #[error("{0}: {1}")]
    Io(String, #[source] std::io::Error),
    /// A verb that is refused, with its code.
    #[error("{0}")]
    Refused(Refused),
}

impl CoreError {
    /// A person's verb is refused.
    #[must_use]
    pub fn refused(code: &str, words: Words) -> Self {
        Self::Refused(Refused::new(code, words))
    }
    /// A gate's verb is refused, which is told to logs alone.
    pub fn to_gate(code: &str, message: impl std::fmt::Display) -> Self {
        Self::refused(code, Words::same(message))
    }
    /// There is no such transfer.
    #[must_use]
    pub fn no_transfer(id: &TransferId) -> Self {
        let why = words!("er is geen zending {id}", "there is no transfer {id}");
        Self::refused("no-such-transfer", why)
    }
    /// What a person is told of it. What a database or a disk itself says has one language.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Refused(refused) => refused.words.clone(),
            Self::Illegal(illegal) => illegal.words(),
            Self::Store(error) => error.words(),
            Self::Evidence(refusal) => refusal.words(),
            Self::Form(error) => error.words(),
            Self::Key(error) => error.words(),
            Self::Letter(error) => error.words(),
            Self::MissingKey { agreement, number, public } => words!(
                "de verklaring {number} van deze partij onder {agreement} is ondertekend met {public}, en die sleutel ligt niet in \
                 de credential statement-key: zet haar terug onder de nieuwste, of vervang haar (docs/operations.md, Changing keys)",
                "{self}"
            ),
            Self::NoAgreement(name) => words!(
                "overeenkomst {name} is hier niet geïnstalleerd; voeg ze toe met `sluis agreement add`",
                "{self}"
            ),
            Self::Ledger(error) => words!(
                "het logboek klopt niet: {}. Met deze databank gebeurt niets: zet een goede back-up in de plaats en bewaar deze",
                "the ledger does not hold: {}. Nothing is done with this store: put a good backup in its place, and keep this one";
                error.words()
            ),
            Self::Io(what, error) => words!("{what}: {}", "{what}: {}"; Words::io(error)),
        }
    }
    /// An operation on a file failed.
    pub fn io(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.to_string();
        move |error| Self::Io(what, error)
    }
}

/// What another party's word does: an effect, or why it has none.
pub type Effect = Result<std::result::Result<(), Words>>;

/// The result of everything in a core.
pub type Result<T> = std::result::Result<T, CoreError>;

impl IntoResponse for CoreError {
    fn into_response(self) -> Response {
        let (status, code) = match &self {
            Self::Refused(refused) => return (StatusCode::CONFLICT, Json(refused)).into_response(),
            Self::Illegal(_) => (StatusCode::CONFLICT, "not-now".to_owned()),
            Self::NoAgreement(_) => (StatusCode::NOT_FOUND, "no-agreement".to_owned()),
            Self::Evidence(_) | Self::Letter(_) | Self::Form(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "no-evidence".to_owned())
            }
            Self::Store(_)
            | Self::Key(_)
            | Self::MissingKey { .. }
            | Self::Ledger(_)
            | Self::Io(..) => {
                tracing::error!(error = %self, "a verb failed");
                (StatusCode::INTERNAL_SERVER_ERROR, "failed".to_owned())
            }
        };
        (status, Json(Refused::new(code, self.words()))).into_response()
    }
}
