//! A reminder as mail: plain text, in Dutch or English, with what to do.

use data_encoding::Specification;

use super::{About, Heard, Reminder, Stuck, Waits};
use crate::deadline::{Deadline, Standing};
use crate::id::{AgreementId, Digest, Time, called};
use crate::kinds;
use crate::notice::short;
use crate::transfer::states;
use crate::words::Language;

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 160;

/// A mail without its addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The left half of its number, always the same for the same reminder of the same party: letters only, so that
    /// nothing in it looks like a number of a person.
    pub number: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

/// One of two texts: French and German have no texts of their own here.
fn pick<'a>(language: Language, dutch: &'a str, english: &'a str) -> &'a str {
    match language {
        Language::En => english,
        Language::Nl | Language::Fr | Language::De => dutch,
    }
}

/// The parts that differ from reminder to reminder.
struct Parts {
    title: String,
    facts: Vec<(&'static str, &'static str, String)>,
    text: String,
    commands: Vec<String>,
}

impl Reminder {
    /// The mail that this party, by its name and id, sends of it.
    #[must_use]
    pub fn mail(&self, (name, id): (&str, &str), language: Language) -> Mail {
        let parts = match &self.about {
            About::Clock { deadline, coming } => of_clock(deadline, *coming, language),
            About::Stuck(stuck) => of_stuck(stuck, language),
            About::Waits(waits) => of_waits(waits, self.agreement.as_ref(), language),
            About::Heard(heard) => of_heard(heard, self.agreement.as_ref(), language),
            About::SetBack { since } => of_set_back(*since, language),
            About::ClockHeld { since } => of_held_clock(*since, language),
        };
        let agreement = self.agreement.as_ref().map(ToString::to_string);
        let place = agreement.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
        let subject = one_line(&format!("[Sluis] {}{place}", parts.title));
        let facts =
            parts.facts.into_iter().chain(agreement.map(|it| ("Overeenkomst", "Agreement", it)));
        let facts: String = facts
            .map(|(nl, en, value)| format!("{}: {}\n", pick(language, nl, en), one_line(&value)))
            .collect();
        let commands: String =
            parts.commands.iter().map(|it| format!("  {}\n", one_line(it))).collect();
        let body = format!(
            "{}\n\n{facts}\n{}\n\n{}\n{commands}\n{}\n",
            one_line(&parts.title),
            parts.text,
            pick(language, "Op de computer van Sluis:", "On the computer of Sluis:"),
            pick(
                language,
                &format!(
                    "Dit bericht komt van Sluis bij {}. Er staan geen gegevens van personen in.",
                    one_line(name)
                ),
                &format!(
                    "This message comes from Sluis at {}. It has no data of persons in it.",
                    one_line(name)
                ),
            ),
        );
        Mail { number: format!("{}.{id}", letters(&self.key())), subject, body }
    }
}

fn of_clock(deadline: &Deadline, coming: Option<Time>, language: Language) -> Parts {
    // As it stood when this was decided: a mail that was long on its way says the same.
    let over = deadline.due.plus_ms(1);
    let standing = match coming {
        None => deadline.standing(over),
        Some(_) => Standing::Soon,
    };
    let title = deadline.clock.title(language);
    let stands = standing.text(language);
    let about_transfer = deadline.subject.parse::<crate::id::TransferCode>().is_ok();
    let shown = about_transfer.then(|| format!("sluis show {}", deadline.subject));
    Parts {
        title: format!("{stands}: {title}, {}", deadline.of()),
        facts: vec![
            ("Waarvan", "Of", deadline.of()),
            ("Artikel", "Article", deadline.clock.rule().article.label(language)),
            ("Loopt sinds", "Runs since", deadline.shown(deadline.starts)),
            ("Loopt tot", "Runs until", deadline.shown(deadline.due)),
        ],
        text: deadline.clock.text(language),
        commands: [Some("sluis deadlines".to_owned()), shown].into_iter().flatten().collect(),
    }
}

fn of_stuck(stuck: &Stuck, language: Language) -> Parts {
    let Stuck { code, failed, since, rehearsal } = stuck;
    let of = called(code, *rehearsal);
    let (state, what) = if *failed {
        ("Failed", pick(language, "Zending mislukt", "Transfer failed"))
    } else {
        ("Held", pick(language, "Zending wacht op u", "Transfer waits for you"))
    };
    let text = pick(
        language,
        "art. 6: de zending gaat niet vanzelf verder. Het eerste commando zegt waarom; los dat op en probeer opnieuw, of trek de zending in.",
        "art. 6: the transfer does not move on by itself. The first command says why; mend that and try again, or withdraw it.",
    );
    Parts {
        title: format!("{what}, {of}"),
        facts: vec![
            ("Zending", "Transfer", of),
            ("Staat", "State", states::shown(state, language).to_owned()),
            ("Sinds", "Since", since.local_hour()),
        ],
        text: text.to_owned(),
        commands: ["show", "retry", "withdraw"].map(|verb| format!("sluis {verb} {code}")).to_vec(),
    }
}

fn of_waits(waits: &Waits, agreement: Option<&AgreementId>, language: Language) -> Parts {
    let Waits { verb, code, since, until, last, rehearsal } = waits;
    let (title, text) = match (until, last) {
        (None, _) => (
            pick(
                language,
                "Een nieuwe versie wacht op twee personen",
                "A new version waits for two persons",
            ),
            pick(
                language,
                "art. 6: tot twee personen zeggen dat ze geldt, vertrekt er niets en wordt er niets gehoord onder deze overeenkomst. Bekijk ze eerst.",
                "art. 6: until two persons say that it counts, nothing leaves and nothing is heard under this agreement. Look at it first.",
            ),
        ),
        (Some(_), false) => (
            pick(language, "Wacht op een tweede persoon", "Waits for a second person"),
            pick(
                language,
                "art. 6: één persoon vroeg dit; er gebeurt niets tot een tweede het bevestigt. Het commando toont wat er gevraagd wordt, en wat u daarvoor typt.",
                "art. 6: one person asked for this; nothing happens until a second one confirms it. The command shows what is asked, and what you type for it.",
            ),
        ),
        (Some(_), true) => (
            pick(
                language,
                "Vervalt binnen een dag, zonder tweede persoon",
                "Lapses within a day, without a second person",
            ),
            pick(
                language,
                "art. 6: één persoon vroeg dit en niemand bevestigde het. Na die tijd moet het opnieuw gevraagd worden.",
                "art. 6: one person asked for this and nobody confirmed it. After that time it must be asked for anew.",
            ),
        ),
    };
    let of = code.as_ref().map(|code| called(code, *rehearsal));
    let facts = [
        Some(("Commando", "Command", verb.clone())),
        of.clone().map(|of| ("Zending", "Transfer", of)),
        Some(("Sinds", "Since", since.local_hour())),
        until.map(|until| ("Vervalt op", "Lapses on", until.local_hour())),
    ];
    let approve = agreement.filter(|_| until.is_none());
    let approve = approve.map(|it| format!("sluis agreement approve {it}"));
    Parts {
        title: format!("{title}: {}", of.unwrap_or_else(|| verb.clone())),
        facts: facts.into_iter().flatten().collect(),
        text: text.to_owned(),
        commands: [Some("sluis waiting".to_owned()), approve].into_iter().flatten().collect(),
    }
}

fn of_heard(heard: &Heard, agreement: Option<&AgreementId>, language: Language) -> Parts {
    let Heard { sort, digest, case, at, paper } = heard;
    let title = kinds::statement(sort.kind(), language).unwrap_or(sort.kind());
    let number = case.as_ref().unwrap_or(digest);
    // Nobody here signed it, and nobody there said it: one party says that the other did.
    let entered = pick(
        language,
        "De andere partij schreef dit in, in uw naam: volgens haar stond het in een brief of mail van u. U hebt het niet ondertekend. Klopt het niet, spreek het dan tegen.",
        "The other party entered this, in your name: it says that a letter or mail of yours said so. You have not signed it. If it is not so, contradict it.",
    );
    let theirs = if sort.is_incident() {
        pick(
            language,
            "art. 9: dit is voor de functionaris voor gegevensbescherming. Neem contact op met die van de andere partij.",
            "art. 9: this is for the data protection officer. Get in touch with the one of the other party.",
        )
    } else {
        pick(
            language,
            "De andere partij heeft dit ondertekend gemeld. Haar woorden staan in Sluis, niet in deze mail.",
            "The other party has said this under its signature. Its words stand in Sluis, not in this mail.",
        )
    };
    let text = match (paper, sort.is_incident()) {
        (false, _) => theirs.to_owned(),
        (true, true) => format!("{entered}\n\n{theirs}"),
        (true, false) => entered.to_owned(),
    };
    let how = match paper {
        true => {
            pick(language, "op papier, in uw naam ingeschreven", "on paper, entered in your name")
        }
        false => pick(language, "gemeld", "said"),
    };
    let contradict = agreement.filter(|_| *paper);
    let contradict =
        contradict.map(|it| format!("sluis contradict {it} --entry {}", short(digest)));
    Parts {
        title: format!("{how}: {title}, {}", short(number)),
        facts: vec![
            ("Nummer", "Number", short(number)),
            ("Artikel", "Article", sort.article().label(language)),
            ("Gemeld op", "Said on", at.local_hour()),
        ],
        text,
        commands: [Some("sluis notices".to_owned()), contradict].into_iter().flatten().collect(),
    }
}

fn of_set_back(since: Time, language: Language) -> Parts {
    Parts {
        title: pick(language, "Een oudere databank werd teruggezet", "An older store was put back").to_owned(),
        facts: vec![("Gezien op", "Seen on", since.local_hour())],
        text: pick(
            language,
            "art. 6: onder deze overeenkomst vertrekt er niets tot twee personen bevestigen dat er vanaf hier verdergegaan wordt. Zet liever eerst een nieuwere back-up terug, als die er is.",
            "art. 6: nothing leaves under this agreement until two persons confirm that it goes on from here. Rather put a newer backup back first, if there is one.",
        )
        .to_owned(),
        commands: vec!["sluis list".to_owned(), "sluis restored".to_owned()],
    }
}

fn of_held_clock(since: Time, language: Language) -> Parts {
    Parts {
        title: pick(language, "De klok sprong vooruit", "The clock jumped ahead").to_owned(),
        facts: vec![("Gezien op, volgens die klok", "Seen on, by that clock", since.local_hour())],
        text: pick(
            language,
            "art. 6: er vervalt niets en er wordt aan geen termijn herinnerd tot de klok juist staat, of tot twee personen ze bevestigen.",
            "art. 6: nothing expires and of no term anybody is reminded until the clock is set right, or two persons confirm it.",
        )
        .to_owned(),
        commands: vec!["sluis clock".to_owned()],
    }
}

/// No header and no line can be forged from within a value.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_SUBJECT).collect()
}

/// Half of a digest in sixteen letters.
fn letters(digest: &Digest) -> String {
    let mut alphabet = Specification::new();
    alphabet.symbols.push_str("abcdefghijklmnop");
    let half = &digest.as_bytes()[..16];
    alphabet.encoding().map(|encoding| encoding.encode(half)).unwrap_or_default()
}
