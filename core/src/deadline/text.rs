//! What people read of a clock: its title, and what to do, with the article.

use super::Standing;
use super::clock::Clock;
use crate::agreement::Side;
use crate::words::Language;

/// What the mark of [`Clock::marked`] means, where one of these bears it.
#[must_use]
pub fn footnote(
    mut clocks: impl Iterator<Item = Clock>,
    language: Language,
) -> Option<&'static str> {
    let text = match language {
        Language::En => {
            "* The agreement's text gives no such term: it is the product's default, or what the agreement's file says."
        }
        _ => {
            "* De tekst van de overeenkomst noemt die termijn niet: ze is de standaard van het product, of wat het bestand van de overeenkomst zegt."
        }
    };
    clocks.any(|clock| !clock.rule().in_the_text).then_some(text)
}

impl Clock {
    /// Its name for people.
    #[must_use]
    pub fn title(self, language: Language) -> &'static str {
        self.words(language).0
    }

    /// The same in a table, which ends with [`footnote`] where a title bears its mark: the agreement's text has no such
    /// term.
    #[must_use]
    pub fn marked(self, language: Language) -> String {
        let mark = if self.rule().in_the_text { "" } else { "*" };
        format!("{}{mark}", self.title(language))
    }

    /// Its article and what to do, and where the term is not the agreement's, that it is the product's.
    #[must_use]
    pub fn text(self, language: Language) -> String {
        let rule = self.rule();
        let source = match language {
            _ if rule.in_the_text => "",
            Language::En => " (Product default: the agreement's text gives no such term.)",
            _ => {
                " (Standaard van het product: de tekst van de overeenkomst noemt die termijn niet.)"
            }
        };
        format!("{}: {}{source}", rule.article.label(language), self.words(language).1)
    }

    fn words(self, language: Language) -> (&'static str, &'static str) {
        match language {
            Language::Nl | Language::Fr | Language::De => self.dutch(),
            Language::En => self.english(),
        }
    }

    fn dutch(self) -> (&'static str, &'static str) {
        match self {
            Self::RemovalTarget => (
                "Bestand weghalen uit het transportmedium",
                "plaats het bestand in de eigen omgeving en verwijder het uit het transportmedium.",
            ),
            Self::RemovalAlarm => (
                "Uiterste tijd: weg van het transportmedium",
                "de verwijdering is niet bewezen. Bel elkaar; lukt het niet, trek de zending dan in.",
            ),
            Self::Expiry => (
                "Openen voor de zending vervalt",
                "trek de zending in als ze niet geopend is. Bied de lijst daarna opnieuw aan, onder een nieuwe sleutel.",
            ),
            Self::Incident(Side::Agency) => (
                "Incident melden aan de gemeente",
                "meld het gegevenslek zonder onredelijke vertraging, van functionaris tot functionaris.",
            ),
            Self::Incident(Side::Municipality) => (
                "Incident melden aan het agentschap",
                "meld het incident, ook een poging, meteen en ten laatste 24 uur na de vaststelling.",
            ),
            Self::Quality => (
                "Fout in de gegevens behandelen",
                "onderzoek ze, tref de gepaste maatregelen en breng de gemeente op de hoogte. De termijn loopt vanaf de vaststelling.",
            ),
            Self::Notice => (
                "Einde van de overeenkomst na opzegging",
                "na deze dag vertrekt niets meer. Vul de einddatum in en sluit zo nodig een nieuwe overeenkomst.",
            ),
            Self::Magda => (
                "Overstap op de lijstdienst van MAGDA",
                "sluit aan op MAGDA. Na deze dag verstuurt het agentschap zelf geen bestanden meer.",
            ),
            Self::Retention => {
                ("Lijst vernietigen", "vernietig de lijst ten laatste op deze dag en verklaar dat.")
            }
            Self::Backups => (
                "Back-ups bewaren een vernietigde lijst nog",
                "tot en met deze dag kunnen back-ups ze nog bevatten. Ga daarna na dat geen enkele ouder is.",
            ),
            Self::Attestation => (
                "Jaarlijkse verklaring over de bewaring",
                "verklaar ondertekend welke lijsten nog bewaard worden en welke vernietigd zijn.",
            ),
            Self::PolicyReview(_) => (
                "Veiligheidsbeleid en -plan herzien",
                "herzie het beleid en het plan en leg de datum vast.",
            ),
            Self::Profiles => (
                "Lijst van functieprofielen nakijken",
                "kijk de lijst na en bevestig ze. Met een verouderde lijst wordt geweigerd.",
            ),
            Self::Custodian => (
                "Bewaarder bevestigen",
                "ga na of deze persoon de gegevens nog nodig heeft; verleng of schrap de vermelding. Daarna krijgt die geen sleuteldeel meer.",
            ),
            Self::Rehearsal => (
                "Oefenen",
                "houd een oefening met een verzonnen lijst. Een oefening telt nooit als levering.",
            ),
            Self::RequestAllowed => (
                "Nieuwe aanvraag mogelijk",
                "vanaf deze dag mag de gemeente opnieuw een lijst aanvragen; vroeger wordt ze geweigerd.",
            ),
            Self::Processors => (
                "Register van verwerkers vernieuwen",
                "het register is gewijzigd. Neem een nieuwe versie van de overeenkomst in gebruik waar het in staat.",
            ),
        }
    }

    fn english(self) -> (&'static str, &'static str) {
        match self {
            Self::RemovalTarget => (
                "Take the file off the transport medium",
                "put the file in your own environment and delete it from the transport medium.",
            ),
            Self::RemovalAlarm => (
                "Last moment: gone from the transport medium",
                "its removal is not proven. Call each other; if that fails, withdraw the transfer.",
            ),
            Self::Expiry => (
                "Open before the transfer expires",
                "withdraw it if it was not opened. Then offer the list again, under a new key.",
            ),
            Self::Incident(Side::Agency) => (
                "Report the incident to the municipality",
                "report the data breach without unreasonable delay, from one data protection officer to the other.",
            ),
            Self::Incident(Side::Municipality) => (
                "Report the incident to the agency",
                "report the incident, or the attempt, at once and at latest 24 hours after it was found.",
            ),
            Self::Quality => (
                "Deal with wrong data",
                "investigate, take the measures that are due and tell the municipality. The term runs from the finding.",
            ),
            Self::Notice => (
                "The agreement ends after notice",
                "after this day nothing leaves. Fill in the end date and conclude a new agreement if you need one.",
            ),
            Self::Magda => (
                "Move to MAGDA's list service",
                "connect to MAGDA. After this day the agency sends no files itself.",
            ),
            Self::Retention => {
                ("Destroy the list", "destroy the list on this day at the latest, and state it.")
            }
            Self::Backups => (
                "Backups still hold a destroyed list",
                "up to this day backups may hold it. After it, see that none of them is older.",
            ),
            Self::Attestation => (
                "Yearly statement about retention",
                "state under your signature which lists are still kept and which are destroyed.",
            ),
            Self::PolicyReview(_) => (
                "Review security policy and plan",
                "review the policy and the plan and record the date.",
            ),
            Self::Profiles => (
                "Go through the list of function profiles",
                "go through the list and confirm it. With an outdated list drops are refused.",
            ),
            Self::Custodian => (
                "Confirm the custodian",
                "see whether this person still needs the data; renew the entry or strike it. After this day it gets no share.",
            ),
            Self::Rehearsal => (
                "Rehearse",
                "hold a rehearsal with an invented list. A rehearsal never counts as a delivery.",
            ),
            Self::RequestAllowed => (
                "A new request is allowed",
                "from this day the municipality may request a list again; before it a request is refused.",
            ),
            Self::Processors => (
                "Renew the register of processors",
                "the register changed. Put a new version of the agreement into use that has it.",
            ),
        }
    }
}

impl Standing {
    /// For people.
    #[must_use]
    pub fn text(self, language: Language) -> &'static str {
        let (dutch, english) = match self {
            Self::Met => ("nagekomen", "met"),
            Self::Ahead => ("loopt", "ahead"),
            Self::Soon => ("binnenkort", "soon"),
            Self::Reached => ("bereikt", "reached"),
            Self::MetLate => ("te laat nagekomen", "met, late"),
            Self::Overdue => ("te laat", "overdue"),
        };
        match language {
            Language::Nl | Language::Fr | Language::De => dutch,
            Language::En => english,
        }
    }
}
