//! States by their name, which is the same for every machine, and what people read of it.

use crate::words::Language;

/// The names of the states at both parties, and in Dutch. `docs/operations.md` has the same table.
const DUTCH: [(&str, &str); 22] = [
    ("Claimed", "genomen"),
    ("Approved", "goedgekeurd"),
    ("Admitted", "toegelaten"),
    ("Held", "aangehouden"),
    ("Refused", "geweigerd"),
    ("Sealed", "verzegeld"),
    ("Carried", "opgeladen"),
    ("Delivered", "afgeleverd"),
    ("Removed", "weg uit de sluiskom"),
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

/// What people read in English where the name alone would say something else: no list was deleted.
const ENGLISH: [(&str, &str); 1] = [("Removed", "Gone from the drop zone")];

/// A state's name as people read it.
#[must_use]
pub fn shown(name: &str, language: Language) -> &str {
    let words = if language == Language::En { &ENGLISH[..] } else { &DUTCH[..] };
    let found = words.iter().find(|(known, _)| *known == name);
    found.map_or(name, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_manual_has_the_word_that_it_shows() {
        let manual = include_str!("../../../docs/operations.md");
        let states = manual.split("\n## States\n").nth(1).unwrap().split("\n## ").next().unwrap();
        let rows =
            states.lines().filter(|line| line.starts_with("| ") && !line.contains("in Dutch"));
        let mut seen = std::collections::BTreeSet::new();
        for cells in rows.map(|row| row.split(" | ").collect::<Vec<_>>()) {
            let names = cells[0].trim_start_matches("| ").split(", ");
            for (name, dutch) in names.zip(cells[1].split(", ")) {
                assert_eq!(shown(name, Language::Nl), dutch);
                let english = shown(name, Language::En);
                assert_eq!(english == name, name != "Removed", "{english}");
                seen.insert(name);
            }
        }
        assert_eq!(seen.len(), DUTCH.len());
        assert_eq!(shown("Unheard-of", Language::Nl), "Unheard-of");
    }
}
