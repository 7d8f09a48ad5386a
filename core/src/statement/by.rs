//! Which kinds of statements are whose to say. A party that says another one has said nothing by it.

use super::Body;
use crate::agreement::Side;
use crate::notice::{AGENCY, BOTH, MUNICIPALITY};

impl Body {
    /// Who may say this. What a notice tells from a letter the party that got it says.
    #[must_use]
    pub fn by(&self) -> &'static [Side] {
        match self {
            Self::Sent(_)
            | Self::Probed(_)
            | Self::Released(_)
            | Self::Closed(_)
            | Self::Withdrawn(_)
            | Self::Expired(_)
            | Self::Superseded(_) => AGENCY,
            Self::Delivered(_)
            | Self::Removed(_)
            | Self::Ready(_)
            | Self::ShareAccepted(_)
            | Self::Opened(_)
            | Self::Destroyed(_) => MUNICIPALITY,
            Self::Notice(_, notice) if notice.received.is_some() => BOTH,
            Self::Notice(sort, _) => sort.by(),
            Self::Failed(_) | Self::Restored(_) | Self::Contradicted(_) | Self::Unknown(..) => BOTH,
        }
    }
}
