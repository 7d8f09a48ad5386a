//! What `sluis config check` notes: what works as it stands, and is weaker than it could be.

use sluis_config::Config;
use sluis_config::schema::Driver;
use sluis_core::words;
use sluis_core::words::Words;

/// All of it.
pub(super) fn of(config: &Config) -> Vec<Words> {
    let notes = [anybody(config), at_once(config)];
    notes.into_iter().flatten().collect()
}

/// Where a custodian's line is whoever's (art. 6, R47).
fn anybody(config: &Config) -> Option<Words> {
    let silent = config.keeper.as_ref().is_some_and(|keeper| keeper.custodians.is_empty());
    silent.then(|| {
        words!(
            "let op: [keeper.custodians] ontbreekt, dus mag wie de taak custodian heeft de regel van elke bewaarder typen; nooit genoeg om alleen te openen, en één per oefening (art. 6, R47)",
            "note: [keeper.custodians] is missing, so whoever has the duty custodian may type any custodian's line; never enough to open alone, and one of each exercise (art. 6, R47)"
        )
    })
}

/// Where a custodian's new number is used as soon as two persons say so (art. 6).
fn at_once(config: &Config) -> Option<Words> {
    let at_once = config.sealer.as_ref().is_some_and(|it| it.number_cooling_off_hours == 0);
    let channels = config.releaser.iter().flat_map(|releaser| releaser.channels.values());
    let dials = channels.into_iter().any(|driver| !matches!(driver, Driver::Spool { .. }));
    (at_once && dials).then(|| {
        words!(
            "let op: sealer.number-cooling-off-hours is 0, dus gaat een deel naar een nieuw nummer zodra twee personen het bevestigen: wie het oude heeft, heeft geen tijd om te bellen (art. 6)",
            "note: sealer.number-cooling-off-hours is 0, so a share goes to a new number as soon as two persons confirm it: whoever has the old one has no time to call (art. 6)"
        )
    })
}
