//! States by their name, which is the same for every machine, and what people read of it.

use crate::agreement::Language;

/// The names of the states at both parties, and in Dutch. The README has the same table.
const DUTCH: [(&str, &str); 22] = [
    ("Claimed", "genomen"),
    ("Approved", "goedgekeurd"),
    ("Admitted", "toegelaten"),
    ("Held", "aangehouden"),
    ("Refused", "geweigerd"),
    ("Sealed", "verzegeld"),
    ("Carried", "opgeladen"),
    ("Delivered", "afgeleverd"),
    ("Removed", "verwijderd"),
    ("Releasing", "in vrijgave"),
    ("Released", "vrijgegeven"),
    ("Opened", "geopend"),
    ("Closed", "afgesloten"),
    ("Failed", "mislukt"),
    ("Expired", "vervallen"),
    ("Withdrawn", "ingetrokken"),
    ("Superseded", "vervangen"),
    ("Announced", "aangekondigd"),
    ("Collected", "opgehaald"),
    ("Destroying", "in vernietiging"),
    ("Destroyed", "vernietigd"),
    ("Ended", "beëindigd"),
];

/// A state's name as people read it.
#[must_use]
pub fn shown(name: &str, language: Language) -> &str {
    let found = DUTCH.iter().find(|(known, _)| *known == name && language != Language::En);
    found.map_or(name, |(_, dutch)| dutch)
}
