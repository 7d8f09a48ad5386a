//! Article 6, as far as the agreement itself says what there is: the two ways, who answers for security, what was taken, who
//! carries. How a party guards its systems is its own: of that the report says whether it is there. It names no person.

use sluis_core::agreement::articles::{Processor, Profile, Rehearsal, Targets};
use sluis_core::agreement::{Approval, Channel, ChannelKind, KeepPlaintext, Side};
use sluis_core::deadline::{Clock, Deadline};

use super::Report;
use super::articles::Done;
use super::noted::{SIDES, profile};
use crate::language::Lang;

impl Report<'_> {
    /// Over what the file goes, how large it may be, and when it alarms (R31, R35).
    pub(super) fn medium(&self) -> Vec<Done> {
        let agreement = &self.terms.agreement;
        let pick = |nl, en| self.lang.pick(nl, en);
        let size = format!("{} MiB", agreement.file.max_size_mib);
        let hours = agreement.targets.alarm_after_hours;
        let ours = self.ours(hours == Targets::default().alarm_after_hours);
        let alarm = format!("{hours} {}{ours}", pick("uur", "h"));
        vec![
            self.fact(
                pick("transportmedium van", "transport medium of"),
                Some(&agreement.drop_zone.operator),
            ),
            self.fact(pick("grootste bestand", "largest file"), Some(&size)),
            self.fact(pick("alarm na", "alarm after"), Some(&alarm)),
        ]
    }

    /// The way is tried before a list goes it (R88).
    fn tried(&self) -> Vec<Done> {
        let rehearsal = &self.terms.agreement.rehearsal;
        let days = rehearsal.within().map(|days| {
            let ours = self.ours(days == Rehearsal::MONTH);
            match self.lang {
                Lang::Nl => format!("hoogstens {days} dagen voor een lijst{ours}"),
                Lang::En => format!("at most {days} days before a list{ours}"),
            }
        });
        let none = rehearsal.unasked.as_ref().map(|why| match self.lang {
            Lang::Nl => format!("niet gevraagd, want {why}"),
            Lang::En => format!("not asked for, because {why}"),
        });
        vec![self.fact(self.lang.pick("oefening", "rehearsal"), days.or(none).as_deref())]
    }

    /// How a number that the text does not have is marked, where the agreement has none of its own either.
    fn ours(&self, ours: bool) -> &'static str {
        match (ours, self.lang) {
            (false, _) => "",
            (true, Lang::Nl) => " (standaard van het product)",
            (true, Lang::En) => " (default of the product)",
        }
    }

    /// Over what the key goes, and why where it is no SMS (R31, R33).
    pub(super) fn channels(&self) -> Vec<Done> {
        let one = |it: &Channel| {
            let other = |why: &str| match self.lang {
                Lang::Nl => format!("geen SMS, want {why}"),
                Lang::En => format!("no SMS, because {why}"),
            };
            let way = match it.kind {
                ChannelKind::Sms => Some("SMS".to_owned()),
                ChannelKind::Other => it.reason.as_deref().map(other),
            };
            let label = format!("{} {}", self.lang.pick("kanaal van", "channel of"), it.provider);
            self.fact(&label, way.as_deref())
        };
        self.terms.agreement.key.channels.iter().map(one).chain(self.tried()).collect()
    }

    /// How long the agency keeps the list, and when what was not opened ends (R36, R87).
    pub(super) fn kept(&self) -> Vec<Done> {
        let file = &self.terms.agreement.file;
        let until = match file.keep_plaintext {
            KeepPlaintext::UntilOpened => {
                self.lang.pick("tot ze geopend is", "until it was opened")
            }
            KeepPlaintext::UntilSealed => {
                self.lang.pick("tot ze verzegeld is", "until it is sealed")
            }
        };
        let days = match self.lang {
            Lang::Nl => format!("na {} dagen", file.expires_after_days),
            Lang::En => format!("after {} days", file.expires_after_days),
        };
        vec![
            self.fact(
                self.lang.pick("het agentschap houdt de lijst", "the agency keeps the list"),
                Some(until),
            ),
            self.fact(
                self.lang.pick("wat niet geopend is, vervalt", "what was not opened ends"),
                Some(&days),
            ),
        ]
    }

    /// The data protection officer of each party, by where to reach that function (R38, R42).
    pub(super) fn officers(&self) -> Vec<Done> {
        let role =
            self.lang.pick("functionaris voor gegevensbescherming", "data protection officer");
        let one = |side| {
            let dpo = self.terms.agreement.party(side).dpo.as_ref();
            let nameless = |name: &str| {
                let blank = self.lang.pick("de naam staat er niet", "the name is blank");
                name.is_empty().then_some(blank)
            };
            let told = dpo.map(|dpo| {
                let known = [dpo.contact.as_deref(), dpo.address.as_deref(), nameless(&dpo.name)];
                known.into_iter().flatten().collect::<Vec<_>>().join("; ")
            });
            let label = self.lang.pick("te bereiken", "to be reached");
            Done { role: role.to_owned(), ..self.fact_of(side, label, told.as_deref()) }
        };
        SIDES.map(one).into()
    }

    /// When each party reviewed its policy and plan, by the agreement (R38, R42).
    pub(super) fn reviewed(&self, deadlines: &[Deadline]) -> Vec<Done> {
        let what = self.lang.pick("herzien, zegt de overeenkomst", "reviewed, says the agreement");
        let of = |side| {
            let days = self.noted_days(|it| it.security.of(side).policy_reviewed_on);
            let late = move |day| self.is_noted_late(deadlines, Clock::PolicyReview(side), day);
            days.into_iter().map(move |day| Done {
                late: late(day).then(|| self.late()),
                ..self.of(side, Some(day), what.to_owned())
            })
        };
        SIDES.into_iter().flat_map(of).collect()
    }

    /// What the municipality has in place; how is not for everybody (R39, R49, R50, R52).
    pub(super) fn measures(&self) -> Vec<Done> {
        let ours = self.terms.agreement.security.of(Side::Municipality);
        let stated = |it: &Option<String>| it.as_ref().map(|_| self.yes(true));
        let own = self.lang.pick("organisatorische maatregelen", "organisational measures");
        let breach = self.lang.pick("procedure voor inbreuken", "procedure for breaches");
        let watched =
            self.lang.pick("netwerk en systemen bewaakt", "network and systems monitored");
        let safe = self.lang.pick("toegang aantoonbaar veilig", "access shown to be safe");
        [
            (own, ours.measures.as_deref()),
            (breach, stated(&ours.breach_procedure)),
            (watched, stated(&ours.monitoring)),
            (safe, stated(&ours.access)),
        ]
        .map(|(label, it)| self.fact_of(Side::Municipality, label, it))
        .into()
    }

    /// When whoever has access was told of each kind of rule (R40).
    pub(super) fn informed(&self) -> Vec<Done> {
        let one = |it: &Profile| {
            let rules = [
                self.lang.pick("AVG", "GDPR"),
                self.lang.pick("privacy", "privacy"),
                self.lang.pick("andere regels", "other rules"),
            ];
            let told = rules.into_iter().zip(it.informed.each());
            let told = told.filter_map(|(rule, (_, on))| Some(format!("{rule} {}", on?)));
            let told = told.collect::<Vec<_>>().join(", ");
            let told = Some(told.as_str()).filter(|told| !told.is_empty());
            self.fact_of(Side::Municipality, profile(it), told)
        };
        self.terms.agreement.access.profiles.iter().map(one).collect()
    }

    /// Who processes data for a party, under which contract, with which guarantees (R56 to R58).
    pub(super) fn processors(&self) -> Vec<Done> {
        let none = self.lang.pick("niet vermeld", "not stated");
        let one = |it: &Processor| {
            let contract = it.contract.map(|on| on.to_string());
            let (contract, guarantees) =
                (contract.as_deref().unwrap_or(none), it.guarantees.as_deref().unwrap_or(none));
            let what = match self.lang {
                Lang::Nl => format!(
                    "{} ({}): verwerkersovereenkomst van {contract}; waarborgen: {guarantees}",
                    it.name, it.service
                ),
                Lang::En => format!(
                    "{} ({}): contract of {contract}; guarantees: {guarantees}",
                    it.name, it.service
                ),
            };
            self.of(it.works_for, None, what)
        };
        self.terms.agreement.processors.iter().map(one).collect()
    }

    /// Who lets a list go (R47).
    pub(super) fn approval(&self) -> Vec<Done> {
        let who = match self.terms.agreement.file.approval {
            Approval::None => self.lang.pick("wie ze aanbiedt", "whoever offers it"),
            Approval::SecondPerson => self.lang.pick(
                "een tweede persoon, die ze niet aanbood",
                "a second person, who did not offer it",
            ),
        };
        vec![self.fact(self.lang.pick("wie een lijst laat gaan", "who lets a list go"), Some(who))]
    }

    /// Whether there is somewhere to tell of a breach (R66): where that is, is between the parties.
    pub(super) fn incident_contacts(&self) -> Vec<Done> {
        let label = self.lang.pick("aanspreekpunt voor incidenten", "contact for incidents");
        let one = |side| {
            let agreement = &self.terms.agreement;
            let own = agreement.security.of(side).incident_contact.as_ref();
            let own = own.map(|_| self.yes(true));
            let dpo = agreement.party(side).dpo.as_ref();
            let dpo = dpo.map(|_| {
                self.lang
                    .pick("de functionaris voor gegevensbescherming", "the data protection officer")
            });
            self.fact_of(side, label, own.or(dpo))
        };
        SIDES.map(one).into()
    }
}
