//! What `list` and `show` say of a transfer at the agency beside its state.

use sluis_core::id::TransferCode;
use sluis_core::transfer::{Report, Shipment, Stands, State};
use sluis_core::words;
use sluis_core::words::Words;

/// What is known of single shares beyond that they were taken: lost ones, and what operators reported.
fn shares_note(shares: &[Shipment]) -> impl Iterator<Item = Words> {
    (1..).zip(shares).filter_map(|(index, share): (u8, _)| {
        let what = match (&share.report, &share.stands) {
            (Some(Report::Failed { code }), _) => {
                words!("gemeld als mislukt ({code})", "reported as failed ({code})")
            }
            (_, Stands::Rejected { code, .. }) => words!("geweigerd ({code})", "rejected ({code})"),
            (_, Stands::Unknown { .. }) if share.resends > 0 => words!(
                "onbekend, gaat opnieuw tenzij het gemeld wordt",
                "unknown, goes again unless it is reported"
            ),
            (_, Stands::Unknown { .. }) if share.deferred > 0 => words!(
                "onbekend, de aanbieder zei telkens «later»",
                "unknown, its provider said \"later\" each time"
            ),
            (_, Stands::Unknown { .. }) => words!("onbekend", "unknown"),
            (_, Stands::Waiting) if share.deferred > 0 => words!(
                "kan verzonden zijn: de aanbieder zei «later», en het gaat opnieuw",
                "may have left: its provider said \"later\", and it goes again"
            ),
            (Some(Report::Delivered), Stands::Accepted { .. }) => {
                words!("gemeld als bezorgd", "reported as delivered")
            }
            _ => return None,
        };
        Some(words!("deel {index} {}", "share {index} {}"; what))
    })
}

/// What is known of it, or in its way.
pub(super) fn note(state: &State, code: &TransferCode) -> Words {
    match state {
        State::Held { why } => why.clone(),
        State::Refused { reasons, .. } => {
            let all: Vec<_> = reasons.iter().map(|it| Words::of(|of| it.line(of))).collect();
            Words::join(&all, "; ")
        }
        State::Admitted { rows: Some(rows), .. } => words!(
            "{rows} personen; sluis approve {code}, door iemand die ze niet aanbood",
            "{rows} persons; sluis approve {code}, by somebody who did not offer it"
        ),
        State::Failed { step, code, .. } => Words::same(format_args!("{step}: {code}")),
        State::Releasing { envelope, shares } | State::Released { envelope, shares, .. } => {
            let (out, all) = (state.left(), envelope.routes.len());
            let sent = words!(
                "{out} van {all} delen verzonden, {} volstaan om te openen",
                "{out} of {all} shares sent, {} open it",
                envelope.threshold
            );
            Words::join(&[sent].into_iter().chain(shares_note(shares)).collect::<Vec<_>>(), "; ")
        }
        _ => Words::default(),
    }
}
