//! Kinds of statements, and of entries in a ledger, by their stable name, and what people read of each.

use crate::words::Language;

/// Of statements: what a transfer's say, and notices.
const STATEMENTS: [(&str, &str, &str); 39] = [
    ("sent", "verzegeld en verzonden", "sealed and sent"),
    ("delivered", "in eigen omgeving", "in own environment"),
    ("removed", "weg van het medium", "gone from the medium"),
    ("probed", "nagekeken", "looked at"),
    ("ready", "bewaarders klaar", "custodians ready"),
    ("released", "sleuteldelen vrijgegeven", "shares released"),
    ("share-accepted", "deel ingetypt", "share typed in"),
    ("opened", "geopend", "opened"),
    ("closed", "afgesloten", "closed"),
    ("withdrawn", "ingetrokken", "withdrawn"),
    ("expired", "vervallen", "expired"),
    ("failed", "mislukt", "failed"),
    ("superseded", "vervangen", "superseded"),
    ("destroyed", "vernietigd", "destroyed"),
    ("restored", "databank teruggezet", "store put back"),
    ("contradicted", "tegenspraak gemeld", "contradiction reported"),
    ("request", "aanvraag van een lijst", "request for a list"),
    ("quality-report", "melding van een fout", "report of an error"),
    ("quality-answer", "antwoord op een fout", "answer to an error"),
    ("quality-close", "dossier over een fout gesloten", "case of an error closed"),
    ("incident-report", "incident", "incident"),
    ("incident-update", "aanvulling bij een incident", "update of an incident"),
    ("incident-close", "dossier over een incident gesloten", "case of an incident closed"),
    ("disclosure", "doorgifte aan anderen", "disclosure to others"),
    ("profiles", "functieprofielen nagekeken", "function profiles gone through"),
    ("information-request", "inlichtingen gevraagd", "information asked for"),
    ("information-answer", "inlichtingen gegeven", "information given"),
    ("security-info", "inlichting over veiligheid", "word on security"),
    ("processors", "verwerkers gewijzigd", "processors changed"),
    ("patch", "lek gedicht", "weakness mended"),
    ("contradiction", "inschrijving tegengesproken", "entry contradicted"),
    ("policy-review", "veiligheidsbeleid herzien", "security policy reviewed"),
    ("attestation", "verklaring over de bewaring", "statement about retention"),
    ("legal-change", "wetswijziging", "change of law"),
    ("override", "regel doorgelaten", "rule let pass"),
    ("publication", "tekst bekendgemaakt", "text published"),
    ("terminate", "opzegging", "notice of termination"),
    ("basis-gone", "rechtsgrond vervallen", "legal basis gone"),
    ("terminate-at-once", "meteen beëindigd", "ended at once"),
];

/// Of entries that are no statement: what happened to a transfer, what persons did, what was noticed.
const ENTRIES: [(&str, &str, &str); 62] = [
    ("send", "aangeboden", "offered"),
    ("redeliver", "opnieuw verzonden", "sent again"),
    ("agreement-approve", "versie van de overeenkomst", "version of the agreement"),
    ("claimed", "uit de outbox genomen", "taken from the outbox"),
    ("admitted", "toegelaten", "admitted"),
    ("held", "aangehouden", "held"),
    ("refused", "geweigerd", "refused"),
    ("approve", "goedgekeurd", "approved"),
    ("reject", "afgewezen", "rejected"),
    ("sealed", "verzegeld", "sealed"),
    ("placed", "plaats gevonden in de sluiskom", "a place found in the drop zone"),
    ("carried", "opgeladen", "carried"),
    ("exposing", "sleuteldeel vertrekt", "a share leaves"),
    ("leftbefore", "sleuteldeel was al vertrokken", "a share had left before"),
    ("shipped", "sleuteldeel vertrokken", "a share left"),
    ("resend", "sleuteldeel gaat opnieuw", "a share goes again"),
    ("reported", "melding van de operator", "report of the operator"),
    ("shareaccepted", "deel ingetypt", "share typed in"),
    ("erased", "gewist", "erased"),
    ("withdraw", "ingetrokken", "withdrawn"),
    ("shut", "geen deel gaat meer", "no share goes any more"),
    ("retry", "opnieuw geprobeerd", "tried again"),
    ("expire", "vervallen", "expired"),
    ("fail", "mislukt", "failed"),
    ("supersede", "opnieuw verzonden", "sent anew"),
    ("putback", "databank teruggezet", "store put back"),
    ("announced", "aangekondigd", "announced"),
    ("collected", "opgehaald", "collected"),
    ("terminated", "uit de sluiskom gewist", "deleted from the drop zone"),
    ("ended", "beëindigd", "ended"),
    ("mismatch", "niet wat aangekondigd was", "not what was announced"),
    ("discarded", "ongeopend weggegooid", "discarded, unopened"),
    ("line", "regel ingetypt", "line typed in"),
    ("taken", "meegenomen", "taken"),
    ("destroy", "wordt vernietigd", "being destroyed"),
    ("clock", "klok", "clock"),
    ("messages-asked", "gevraagd berichten te wissen", "asked to delete messages"),
    ("destruction-planned", "vernietiging gepland", "destruction planned"),
    ("destruction-due", "laatste dag gekomen", "last day has come"),
    ("agreement-installed", "overeenkomst in gebruik", "agreement in use"),
    ("agreement-approved", "versie goedgekeurd", "version approved"),
    ("said-again", "opnieuw gezegd", "said again"),
    ("ended-at-once", "wat onderweg was meteen beëindigd", "what was under way ended at once"),
    ("number-changed", "nummer gewijzigd", "number changed"),
    ("number-used", "nummer gebruikt", "number used"),
    ("number-telling", "oud nummer wordt ingelicht", "old number is being told"),
    ("number-told", "oud nummer ingelicht", "old number told"),
    ("number-untold", "oud nummer niet ingelicht", "old number not told"),
    ("number", "nummer", "number"),
    ("late", "te laat", "late"),
    ("missed", "termijn niet gehaald", "clock not met"),
    ("no-effect", "zonder gevolg", "without effect"),
    ("mends-unknown", "verbetert een onbekend dossier", "mends an unknown case"),
    ("takes-effect", "krijgt alsnog gevolg", "takes effect after all"),
    ("set-back", "oudere databank gezien", "older store seen"),
    ("set-back-refused", "oudere databank geweigerd", "older store refused"),
    ("not-plausible", "woord dat niet kan", "word that cannot be"),
    ("given-back", "teruggegeven", "given back"),
    ("clock-forward", "klok sprong vooruit", "clock jumped ahead"),
    ("clock-back", "klok sprong terug", "clock jumped back"),
    ("agreement", "overeenkomst", "agreement"),
    ("aside", "opzijgezet", "put aside"),
];

/// A statement's kind as people read it; nothing where a later version has it.
#[must_use]
pub fn statement(kind: &str, language: Language) -> Option<&'static str> {
    found(&STATEMENTS, kind, language)
}

/// The kind of an entry that is no statement, as people read it; its own word where nothing here knows it.
#[must_use]
pub fn entry(kind: &str, language: Language) -> String {
    let known = |kind| found(&ENTRIES, kind, language).or_else(|| statement(kind, language));
    let steps = [
        ("-asked", "gevraagd", "asked for"),
        ("-confirmed", "bevestigd door een tweede persoon", "confirmed by a second person"),
        ("-lapsed", "door niemand bevestigd en vervallen", "confirmed by nobody and lapsed"),
    ];
    let of_two = steps.into_iter().find_map(|(ending, nl, en)| {
        let what = known(kind.strip_suffix(ending)?)?;
        Some(format!("{what}: {}", if language == Language::En { en } else { nl }))
    });
    let whole = known(kind).map(str::to_owned);
    whole.or(of_two).unwrap_or_else(|| kind.to_owned())
}

fn found(
    table: &[(&str, &'static str, &'static str)],
    kind: &str,
    language: Language,
) -> Option<&'static str> {
    let row = table.iter().find(|(known, ..)| *known == kind)?;
    Some(if language == Language::En { row.2 } else { row.1 })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::notice::Sort;

    #[test]
    fn every_kind_of_statement_and_of_entry_has_its_words_in_both_languages() {
        for language in [Language::Nl, Language::En] {
            for sort in Sort::ALL {
                assert!(statement(sort.kind(), language).is_some(), "{sort:?}");
            }
            for (kind, ..) in STATEMENTS.iter().chain(&ENTRIES) {
                assert!(!entry(kind, language).contains('`'));
            }
        }
        // What docs/formats.md has of entries, and the kinds of statements.
        let formats = include_str!("../../docs/formats.md");
        let ledger = formats.split("\n## Ledger\n").nth(1).unwrap();
        let ledger = ledger.split("\n## ").next().unwrap();
        let rows = ledger.lines().filter(|row| row.starts_with("| `"));
        let names =
            rows.flat_map(|row| row.split(" | ").next().unwrap().split('`').skip(1).step_by(2));
        let fields =
            ["number", "previous", "time", "kind", "transfer", "detail", "-asked", "-confirmed"];
        let mut count = 0;
        for name in names.filter(|name| !fields.contains(name)) {
            assert_ne!(entry(name, Language::Nl), name);
            count += 1;
        }
        assert!(count > 30, "{count}");
        assert_eq!(entry("destroy-asked", Language::En), "being destroyed: asked for");
        assert_eq!(entry("unheard-of", Language::Nl), "unheard-of");
    }
}
