//! What the party that hands over the evidence decided and found itself, beside what was said: as its ledger has it.

use sluis_core::deadline::Clock;
use sluis_core::export::decisions::Decided;
use sluis_core::id::Time;
use sluis_core::kinds;

use super::Report;

/// One row.
pub(super) struct Decision {
    pub(super) when: String,
    pub(super) what: String,
    /// Which transfer, or what else it is about.
    pub(super) of: String,
    /// By which rules, or which clock it was.
    pub(super) why: String,
}

pub(super) fn all(report: &Report<'_>) -> Vec<Decision> {
    let within = report.decided.iter().filter(|it| it.is_within(report.head.of));
    within.map(|it| one(report, it)).collect()
}

fn one(report: &Report<'_>, it: &Decided) -> Decision {
    let language = report.lang.core();
    let known = |key: &str| it.detail.get(key).cloned();
    let clock = known("clock").and_then(|clock| clock.parse::<Clock>().ok());
    let due = known("due").and_then(|due| due.parse().ok()).map(Time);
    let clock = clock.zip(due).map(|(clock, due)| {
        let before = report.lang.pick("ten laatste", "due");
        format!("{}, {before} {}", clock.title(language), due.local())
    });
    let rules = known("reasons").or(known("rules"));
    let of = it.transfer.map(|id| report.called(id));
    Decision {
        when: it.time.local(),
        what: kinds::entry(&it.kind, language),
        of: of.or(known("subject")).or(known("custodian")).unwrap_or_default(),
        why: clock.or(rules).or(known("day")).unwrap_or_default(),
    }
}
