//! What can be typed, and which verb it calls.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use sluis_config::Config;
use sluis_core::control::{AskHead, GoOn, OfCustodian, SayAgain, Under};
use sluis_core::id::{Address, AgreementId, CustodianId, Nis, PartyId, TransferCode};
use sluis_core::notice::Sort;
use sluis_core::words;

use crate::card::Role;
use crate::failure::{Failure, Result};
use crate::keys::KeyVerb;
use crate::language::Lang;
use crate::notices::Wording;
use crate::socket::Socket;
use crate::{
    agreement, card, check, deadlines, demo, dry_run, evidence, health, init, keys, ledger,
    notices, open, output, restored, retention, second, transfers,
};

/// Sluis hands a sealed list from an agency to a municipality, and its key by another way, only after the
/// list is proven gone from the transport medium.
#[derive(Parser)]
#[command(
    name = "sluis",
    version,
    after_help = "Examples:\n  sluis demo\n  sluis send mechelen lijst-2026.csv\n  sluis list\n  sluis open 7K3F-9QX\n\nAt the agency alone: send, rehearse, withdraw, retry, redeliver, approve, reject, override, number. At the municipality alone: request, ready, open, take, retention, destroy, attest, disclosure, profiles. The others at both, or on any machine.\n\nExit codes: 0 done, 1 refused or evidence that does not hold, 2 usage, 3 evidence incomplete, 69 the core does not answer, 74 a file cannot be read or written, 78 configuration."
)]
pub(crate) struct Arguments {
    /// The configuration of this host.
    #[arg(
        long,
        global = true,
        env = "SLUIS_CONFIG",
        default_value = "/etc/sluis/sluis.toml",
        value_name = "FILE"
    )]
    config: PathBuf,
    /// Answer as JSON: one value a line, of which a list is an array.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Dutch or English; as the terminal says where it is missing.
    #[arg(long, global = true)]
    lang: Option<Lang>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Agency,
    Municipality,
    Dropzone,
}

#[derive(Subcommand)]
enum Verb {
    /// Make folders, keys and a configuration for this host.
    #[command(
        after_help = "Example:\n  sluis init municipality --dir /etc/sluis --id stad-mechelen --name 'Stad Mechelen'"
    )]
    Init {
        /// What this host is to be.
        host: Kind,
        /// Where everything goes.
        #[arg(long, default_value = "/etc/sluis")]
        dir: PathBuf,
        /// The party's id: a-z, 0-9 and dashes.
        #[arg(long)]
        id: PartyId,
        /// The party's name for people.
        #[arg(long)]
        name: String,
        /// Where a drop zone listens.
        #[arg(long, default_value = "[::]:8443", value_name = "ADDRESS")]
        listen: Address,
    },
    /// Show this host's card: its public keys, and a fingerprint to compare by telephone.
    #[command(after_help = "Example:\n  sluis identity > agency.card")]
    Identity,
    /// Agreements on this host.
    #[command(after_help = "Example:\n  sluis agreement check mechelen.toml")]
    Agreement {
        #[command(subcommand)]
        verb: AgreementVerb,
    },
    /// Put a file or folder into the outbox, complete, and have it taken.
    #[command(after_help = "Example:\n  sluis send mechelen lijst-2026.csv")]
    Send {
        /// Under which agreement.
        agreement: AgreementId,
        /// What to send.
        path: PathBuf,
        /// Send nothing: say whether it might leave, and what would, in counts.
        #[arg(long)]
        dry_run: bool,
        /// The list was drawn for the residents of this municipality: `sent` says that it is your word (art. 2).
        #[arg(long, value_name = "NIS")]
        drawn_for: Option<Nis>,
    },
    /// Send the exercise the whole way over the real channels; no list is in it, and it is no delivery.
    #[command(after_help = "Example:\n  sluis rehearse mechelen")]
    Rehearse {
        /// Under which agreement.
        agreement: AgreementId,
    },
    /// The transfers: where each stands and who must act.
    #[command(after_help = "Examples:\n  sluis list\n  sluis list --agreement mechelen")]
    List(Only),
    /// One transfer with its history.
    #[command(after_help = "Example:\n  sluis show 7K3F-9QX")]
    Show {
        /// Its code.
        code: TransferCode,
    },
    /// Each change of a transfer as it comes.
    #[command(after_help = "Example:\n  sluis follow 7K3F-9QX")]
    Follow {
        /// Its code.
        code: TransferCode,
    },
    /// Stop a transfer while fewer shares are exposed than open it.
    #[command(after_help = "Example:\n  sluis withdraw 7K3F-9QX")]
    Withdraw {
        /// Its code.
        code: TransferCode,
    },
    /// Try again what is held, failed before it left, was lost, or is unknown.
    #[command(after_help = "Examples:\n  sluis retry 7K3F-9QX\n  sluis retry 7K3F-9QX --share 2")]
    Retry {
        /// Its code.
        code: TransferCode,
        /// Only this share, word for word over the same channel, whatever became of it: its custodian has not got it.
        #[arg(long, value_name = "NUMBER")]
        share: Option<u8>,
    },
    /// Send it again under a new key; the old transfer ends.
    #[command(after_help = "Example:\n  sluis redeliver 7K3F-9QX")]
    Redeliver {
        /// Its code.
        code: TransferCode,
    },
    /// Let a list go that somebody else offered, where the agreement asks for a second person (art. 6).
    #[command(after_help = "Example:\n  sluis approve 7K3F-9QX")]
    Approve {
        /// Its code.
        code: TransferCode,
    },
    /// Do not let it go: it lies in the outbox again, with your reason beside it.
    #[command(
        after_help = "Example:\n  sluis reject 7K3F-9QX --reason 'de selectie is van vorig jaar'"
    )]
    Reject {
        /// Its code.
        code: TransferCode,
        /// Why, for whoever offered it.
        #[arg(long)]
        reason: String,
    },
    /// Let pass what a refused list breaks, where that may be: one person asks, a second one confirms with the same
    /// words. Both parties' ledgers keep it (art. 6).
    #[command(
        after_help = "Example:\n  sluis override 7K3F-9QX --reason 'dossier niet beschikbaar via MAGDA, brief van 3 maart'"
    )]
    Override {
        /// The code of the refused transfer; sluis list shows it.
        code: TransferCode,
        /// Why. No personal data: it stands in both ledgers.
        #[arg(long)]
        reason: String,
    },
    /// What waits for a second person.
    #[command(after_help = "Example:\n  sluis waiting")]
    Waiting,
    /// Which lists the vault keeps, until which day, and who destroys them (art. 2 and 3).
    #[command(after_help = "Example:\n  sluis retention")]
    Retention,
    /// Destroy what the vault holds of a list: one person asks, a second one confirms (art. 3 and 6).
    #[command(
        after_help = "Examples:\n  sluis destroy 7K3F-9QX\n  sluis destroy 7K3F-9QX --messages-asked"
    )]
    Destroy {
        /// Its code.
        code: TransferCode,
        /// I have asked the custodians to delete their messages: `destroyed` says so.
        #[arg(long)]
        messages_asked: bool,
    },
    /// Ask the agency for a list; once a year (recital C).
    #[command(after_help = "Example:\n  sluis request mechelen --text 'de lijst van 2026'")]
    Request(notices::Said),
    /// Errors in the data (art. 7).
    #[command(
        subcommand,
        after_help = "Example:\n  sluis quality report mechelen --found 2026-11-23T14:00 --transfer 7K3F-9QX --text 'rij 12 is verouderd'"
    )]
    Quality(notices::Quality),
    /// Processing or access without right, attempts too (art. 6).
    #[command(
        subcommand,
        after_help = "Example:\n  sluis incident report mechelen --found 2026-11-23T14:00 --text 'een poging tot aanmelden'"
    )]
    Incident(notices::Incident),
    /// The data go to somebody else (art. 4).
    #[command(
        subcommand,
        after_help = "Example:\n  sluis disclosure announce mechelen --on 2027-05-01 --paper overeenkomst.pdf --text 'aan het OCMW'"
    )]
    Disclosure(notices::Disclosure),
    /// The list of function profiles was looked through (art. 4).
    #[command(
        after_help = "Example:\n  sluis profiles mechelen --text 'nagekeken, niets veranderd'"
    )]
    Profiles(notices::Said),
    /// Ask for information on access or for proof, and answer (art. 6).
    #[command(
        subcommand,
        after_help = "Example:\n  sluis information request mechelen --text 'het bewijs van de maatregelen van 2026'"
    )]
    Information(notices::Information),
    /// Tell the other party what helps its security (art. 9).
    #[command(
        after_help = "Example:\n  sluis security-info mechelen --text 'een golf van phishing op naam van de stad'"
    )]
    SecurityInfo(notices::Said),
    /// The register of processors changed (art. 6 and 9).
    #[command(
        after_help = "Example:\n  sluis processors mechelen --text 'een nieuwe hostingpartner vanaf 1 mei'"
    )]
    Processors(notices::Said),
    /// Security policy and plan were reviewed (art. 6).
    #[command(after_help = "Example:\n  sluis reviewed mechelen --text 'beleid en plan van 2026'")]
    Reviewed(notices::Said),
    /// State what is still kept and what was destroyed, as it is counted in the vault; yearly (art. 3).
    #[command(
        after_help = "Shows the counts first; what contradicts the vault is refused.\n\nExample:\n  sluis attest mechelen"
    )]
    Attest(retention::Attest),
    /// The law changed in what touches the agreement (art. 9), or took its basis away: that takes two persons (art. 12).
    #[command(
        after_help = "Example:\n  sluis legal-change mechelen --on 2027-01-01 --text 'het decreet wijzigt de doelgroep'"
    )]
    LegalChange(notices::Law),
    /// A weakness was mended: which, by what, on which day (art. 6).
    #[command(
        after_help = "Example:\n  sluis patched mechelen --on 2026-11-23 --text 'OpenSSL 3.5.4'"
    )]
    Patched(notices::OfDay),
    /// Say that this party did not say what the other one entered from a letter in its name (art. 6).
    #[command(
        after_help = "Example:\n  sluis contradict mechelen --entry 3f2a91c0 --text 'deze brief is niet van ons'"
    )]
    Contradict(notices::Against),
    /// End the agreement with twelve months' notice, --on the first day without lists (art. 12); or at once (art. 8).
    #[command(
        after_help = "Examples:\n  sluis terminate mechelen --on 2027-12-01 --text 'opzegging' --paper brief.pdf\n  sluis terminate mechelen --at-once --reason 'doorgifte zonder melding'"
    )]
    Terminate(notices::Ending),
    /// The numbers of custodians.
    #[command(after_help = "Example:\n  sluis number confirm mechelen custodian-a")]
    Number {
        #[command(subcommand)]
        verb: NumberVerb,
    },
    /// Say that the clock is right after it jumped ahead: one person says so, a second one confirms.
    #[command(after_help = "Example:\n  sluis clock")]
    Clock,
    /// Go on after an older store was put back, from what the other party has: one person says so, a second one confirms.
    #[command(
        after_help = "`sluis list` and `sluis health` say where it is needed; docs/operations.md what follows.\n\nExamples:\n  sluis restored mechelen\n  sluis restored mechelen --refuse 'hier werd geen databank teruggezet'"
    )]
    Restored {
        /// Under which agreement.
        agreement: AgreementId,
        /// No older store was put back: the other party's word is refused, and it is told why.
        #[arg(long, value_name = "REASON")]
        refuse: Option<String>,
        /// No older store was put back, and the other party cannot be heard, as where the drop zone is gone: lists move on
        /// until the next start.
        #[arg(long, conflicts_with = "refuse")]
        unheard: bool,
    },
    /// Say to the other party once more what it lost: its store is older than the letters in the drop zone, or its mailbox
    /// identity is gone.
    #[command(
        after_help = "Its gate's log names the number that it waits for. One that is too low does no harm; at most 500 go at once.\n\nExample:\n  sluis say-again mechelen --from 12"
    )]
    SayAgain {
        /// Under which agreement.
        agreement: AgreementId,
        /// The first statement of this party that the other one has not.
        #[arg(long, value_name = "NUMBER")]
        from: u64,
    },
    /// Everything that both parties said about their agreements.
    #[command(after_help = "Examples:\n  sluis notices\n  sluis notices --agreement mechelen")]
    Notices(Only),
    /// Every clock of the agreements: what is due, soon, missed.
    #[command(
        after_help = "Examples:\n  sluis deadlines --agreement mechelen\n  sluis deadlines --ics > sluis.ics"
    )]
    Deadlines {
        #[command(flatten)]
        only: Only,
        /// As a calendar, for an agenda.
        #[arg(long)]
        ics: bool,
    },
    /// How this host stands, for monitoring: exit code 0 in order, 1 worth a look, 2 somebody must act.
    #[command(
        after_help = "Examples:\n  sluis health\n  sluis health --prometheus --to /var/lib/sluis-health/agency.prom\n\nWith --prometheus the exit code says only whether it could be written."
    )]
    Health(health::Ask),
    /// Say that the custodians are at their desks.
    #[command(after_help = "Example:\n  sluis ready 7K3F-9QX")]
    Ready {
        /// Its code.
        code: TransferCode,
    },
    /// Type share lines, one at a time, until the envelope opens.
    #[command(
        after_help = "Lines come from the terminal or standard input, never from an argument.\n\nExample:\n  sluis open 7K3F-9QX"
    )]
    Open {
        /// Its code.
        code: TransferCode,
    },
    /// Write the one opened file to standard output; who took it is recorded.
    #[command(after_help = "Example:\n  sluis take 7K3F-9QX > lijst.csv")]
    Take {
        /// Its code.
        code: TransferCode,
    },
    /// What proves a transfer.
    #[command(
        after_help = "Examples:\n  sluis evidence export 7K3F-9QX --to bewijs\n  sluis evidence verify bewijs --trust sleutels"
    )]
    Evidence {
        #[command(subcommand)]
        verb: EvidenceVerb,
    },
    /// This party's ledger.
    #[command(after_help = "Example:\n  sluis ledger verify")]
    Ledger {
        #[command(subcommand)]
        verb: ledger::LedgerVerb,
    },
    /// Break-glass: keys without a daemon.
    #[command(after_help = "Example:\n  sluis key combine 7K3F-9QX")]
    Key {
        #[command(subcommand)]
        verb: KeyVerb,
    },
    /// The configuration of this host.
    #[command(after_help = "Example:\n  sluis config check")]
    Config {
        #[command(subcommand)]
        verb: ConfigVerb,
    },
    /// Send a list the whole way on this machine, with the six real processes.
    #[command(
        after_help = "Examples:\n  sluis demo\n  sluis demo --unattended --dir /tmp/sluis-demo\n  sluis demo --file lijst.xlsx"
    )]
    Demo {
        /// Type the lines for me.
        #[arg(long)]
        unattended: bool,
        /// Do it in this folder, and keep everything.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Send this file or folder instead of a made-up list.
        #[arg(long)]
        file: Option<PathBuf>,
        /// Stop before the envelope is opened.
        #[arg(long)]
        stop_before_open: bool,
    },
}

/// What is shown of several agreements.
#[derive(Args)]
struct Only {
    /// Only what is under this agreement.
    #[arg(long, value_name = "NAME")]
    agreement: Option<AgreementId>,
}

impl From<Only> for Under {
    fn from(Only { agreement }: Only) -> Self {
        Self { agreement }
    }
}

#[derive(Subcommand)]
enum AgreementVerb {
    /// Put an agreement into use, with the keys from the parties' cards.
    #[command(
        after_help = "Example:\n  sluis agreement add mechelen.toml --card agency.card --card mechelen.card --card dropzone.card --contacts mechelen.contacts.toml"
    )]
    Add {
        /// The agreement.
        file: PathBuf,
        /// A card: one each of agency, municipality and drop zone.
        #[arg(long, value_name = "FILE")]
        card: Vec<PathBuf>,
        /// Where the custodians are reached; at the agency alone.
        #[arg(long, value_name = "FILE")]
        contacts: Option<PathBuf>,
    },
    /// The agreements on this host.
    #[command(after_help = "Example:\n  sluis agreement list")]
    List,
    /// One agreement.
    #[command(after_help = "Example:\n  sluis agreement show mechelen")]
    Show {
        /// Its name.
        name: AgreementId,
    },
    /// Let a new version of an installed agreement count; somebody else put it there (art. 6).
    #[command(
        after_help = "Look at it first: sluis agreement check, and what changed: diff.\n\nExample:\n  sluis agreement approve mechelen"
    )]
    Approve {
        /// Its name.
        name: AgreementId,
        /// A key was stolen: what it signed from the new key's first number on counts no longer.
        #[arg(long)]
        stolen: bool,
    },
    /// Write the next version with the keys of new cards, and the history of those before.
    #[command(
        after_help = "Examples:\n  sluis agreement rekey mechelen --card new-agency.card --agency-from 120 --out v2.toml\n  sluis agreement rekey mechelen --card new-mechelen.card --municipality-from 47 --stolen municipality --out v3.toml"
    )]
    Rekey(agreement::rekey::Order),
    /// Check a file without putting it into use: what it lacks, by article.
    #[command(
        after_help = "Exit code 1 where a gap blocks, 78 where the file cannot be taken into use at all.\n\nExample:\n  sluis agreement check mechelen.toml"
    )]
    Check {
        /// The file.
        file: PathBuf,
        /// As on this day instead of today: 2027-01-01.
        #[arg(long, value_name = "DATE")]
        on: Option<jiff::civil::Date>,
    },
    /// Write a new agreement by asking for everything that its articles need.
    #[command(
        after_help = "Questions come in the order of the articles; an empty answer takes what stands in brackets, a dash leaves it blank. Answers come from the terminal or, one a line, from standard input. Nothing is overwritten. Each answer is kept in a draft beside the file: whoever stops goes on with the same command.\n\nExample:\n  sluis agreement new --out mechelen.toml"
    )]
    New {
        /// Where it is written; the agreement's name and .toml where this is missing.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make the page that both parties put on their websites, and record where it stands (art. 10).
    #[command(
        after_help = "The page is in Dutch unless --lang says otherwise. The same version of the agreement gives the same bytes.\n\nExamples:\n  sluis agreement publish mechelen --to protocol.html\n  sluis agreement publish mechelen --url https://www.mechelen.be/protocol --page protocol.html"
    )]
    Publish(agreement::publish::Order),
}

#[derive(Subcommand)]
enum EvidenceVerb {
    /// Write the statements of a transfer, or all under an agreement, with their signatures into a folder.
    #[command(
        after_help = "With --agreement the folder holds both parties' statements, notices too, a script that verifies them without Sluis, and a report for people in Dutch and English (print it from a browser).\n\nExamples:\n  sluis evidence export 7K3F-9QX --to bewijs\n  sluis evidence export --agreement mechelen --year 2026 --to bewijs-2026"
    )]
    Export {
        /// The transfer's code.
        #[arg(required_unless_present = "agreement", conflicts_with = "agreement")]
        code: Option<TransferCode>,
        /// All that was said under this agreement.
        #[arg(long, value_name = "NAME")]
        agreement: Option<AgreementId>,
        /// Only what was entered here in this year, as it is counted in Brussels.
        #[arg(long, requires = "agreement", value_parser = clap::value_parser!(i16).range(2000..=9998))]
        year: Option<i16>,
        /// The folder.
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
    },
    /// Verify such a folder, offline, under your own copy of the parties' keys.
    #[command(
        after_help = "The trust file is an allowed_signers file that you did not get with the evidence:\n  stad-mechelen ssh-ed25519 AAAA...\n  agentschap-ii ssh-ed25519 AAAA...\n\nExample:\n  sluis evidence verify bewijs --trust sleutels"
    )]
    Verify {
        /// The folder.
        dir: PathBuf,
        /// Your copy of the keys.
        #[arg(long, value_name = "FILE")]
        trust: PathBuf,
    },
}

#[derive(Subcommand)]
enum NumberVerb {
    /// Say that a number that changed in the contacts file is right: one person says so, a second one confirms.
    #[command(
        after_help = "Call the custodian on the old number first.\n\nExample:\n  sluis number confirm mechelen custodian-a"
    )]
    Confirm {
        /// Under which agreement.
        agreement: AgreementId,
        /// Whose.
        custodian: CustodianId,
        /// The old number is dead: do not wait until it was told.
        #[arg(long)]
        old_is_dead: bool,
    },
}

impl From<NumberVerb> for OfCustodian {
    fn from(NumberVerb::Confirm { agreement, custodian, old_is_dead }: NumberVerb) -> Self {
        Self { agreement, custodian, old_is_dead }
    }
}

#[derive(Subcommand)]
enum ConfigVerb {
    /// Check the configuration, the agreements and that the secrets are there and private.
    #[command(after_help = "Example:\n  sluis config check")]
    Check,
}

impl Arguments {
    /// The language in which the person is addressed.
    pub(crate) fn language(&self) -> Lang {
        self.lang.unwrap_or_else(Lang::of_terminal)
    }
}

/// Where a verb is typed: this host, in a language, for a person or a machine.
struct Host {
    path: PathBuf,
    /// The language that was asked for.
    given: Option<Lang>,
    lang: Lang,
    json: bool,
}

impl Host {
    fn config(&self) -> Result<Config> {
        Config::load(&self.path).map_err(Failure::from)
    }
    fn socket(&self) -> Result<Socket> {
        Socket::of(&self.config()?)
    }

    fn agreement(&self, verb: AgreementVerb) -> Result<()> {
        let (lang, json) = (self.lang, self.json);
        match verb {
            AgreementVerb::Add { file, card, contacts } => {
                agreement::add(&self.config()?, &file, &card, contacts.as_deref(), lang, json)
            }
            AgreementVerb::List => agreement::list(&self.config()?, lang, json),
            AgreementVerb::Show { name } => agreement::show(&self.config()?, &name, json),
            AgreementVerb::Approve { name, stolen } => {
                second::agree(&self.config()?, &self.socket()?, (&name, stolen), lang, json)
            }
            AgreementVerb::Rekey(order) => {
                agreement::rekey::rekey(&self.config()?, &order, lang, json)
            }
            AgreementVerb::Check { file, on } => agreement::check::check(&file, on, lang, json),
            AgreementVerb::Publish(order) => {
                let language = self.given.unwrap_or(Lang::Nl);
                agreement::publish::publish(&self.config()?, order, language, lang, json)
            }
            AgreementVerb::New { out } => agreement::new::new(out.as_deref(), lang, json),
        }
    }

    fn evidence(&self, verb: EvidenceVerb) -> Result<()> {
        let (lang, json) = (self.lang, self.json);
        match verb {
            EvidenceVerb::Export { code: Some(code), to, .. } => {
                evidence::export(&self.socket()?, &AskHead::Transfer(code), &to, lang, json)
            }
            EvidenceVerb::Export { agreement: Some(name), year, to, .. } => {
                let ask = AskHead::Agreement(name, year);
                evidence::export(&self.socket()?, &ask, &to, lang, json)
            }
            EvidenceVerb::Export { .. } => Err(Failure::coded(
                "usage",
                words!(
                    "geef de code van een zending of --agreement",
                    "give a transfer's code or --agreement"
                ),
            )),
            EvidenceVerb::Verify { dir, trust } => evidence::verify(&dir, &trust, lang, json),
        }
    }
}

/// Does what was typed.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let lang = arguments.language();
    let json = arguments.json;
    let on = Host { path: arguments.config, given: arguments.lang, lang, json };
    let (config, socket) = (|| on.config(), || on.socket());
    let note = |wording: Wording| notices::make(&socket()?, wording, lang, json);
    match arguments.verb {
        Verb::Init { host, dir, id, name, listen } => {
            start(host, &dir, &id, &name, &listen, (lang, json))
        }
        Verb::Identity => card::show(&config()?, lang, json),
        Verb::Agreement { verb } => on.agreement(verb),
        Verb::Send { agreement, path, dry_run: true, drawn_for } => {
            dry_run::look(&config()?, &socket()?, &agreement, (&path, drawn_for), lang, json)
        }
        Verb::Send { agreement, path, dry_run: false, drawn_for } => {
            transfers::send(&socket()?, &agreement, (&path, drawn_for), lang, json)
        }
        Verb::Rehearse { agreement } => transfers::rehearse(&socket()?, &agreement, lang, json),
        Verb::List(only) => transfers::list(&socket()?, &only.into(), lang, json),
        Verb::Show { code } => transfers::show(&socket()?, code, lang, json),
        Verb::Follow { code } => transfers::follow(&socket()?, code, lang, json),
        Verb::Withdraw { code } => transfers::act(&socket()?, "withdraw", code, lang, json),
        Verb::Retry { code, share } => transfers::retry(&socket()?, code, share, lang, json),
        Verb::Redeliver { code } => transfers::act(&socket()?, "redeliver", code, lang, json),
        Verb::Approve { code } => transfers::act(&socket()?, "approve", code, lang, json),
        Verb::Reject { code, reason } => second::reject(&socket()?, code, reason, lang, json),
        Verb::Override { code, reason } => second::let_pass(&socket()?, code, reason, lang, json),
        Verb::Waiting => second::waiting(&socket()?, lang, json),
        Verb::Retention => retention::list(&socket()?, lang, json),
        Verb::Destroy { code, messages_asked } => {
            retention::destroy(&socket()?, code, messages_asked, lang, json)
        }
        Verb::Request(said) => note(Wording::plain(Sort::Request, said)),
        Verb::Quality(verb) => note(verb.into()),
        Verb::Incident(verb) => note(verb.into()),
        Verb::Disclosure(notices::Disclosure::Announce(of)) => note(Wording::onward(of)),
        Verb::Profiles(said) => note(Wording::plain(Sort::Profiles, said)),
        Verb::Information(verb) => note(verb.into()),
        Verb::SecurityInfo(said) => note(Wording::plain(Sort::SecurityInfo, said)),
        Verb::Processors(said) => note(Wording::plain(Sort::Processors, said)),
        Verb::Reviewed(said) => note(Wording::plain(Sort::PolicyReview, said)),
        Verb::Attest(ask) => retention::attest(&socket()?, ask, lang, json),
        Verb::LegalChange(of) => note(Wording::law(of)),
        Verb::Patched(of) => note(Wording::of_day(Sort::Patch, of)),
        Verb::Contradict(of) => note(Wording::against(of)),
        Verb::Terminate(of) => note(Wording::ending(of)),
        Verb::Number { verb } => transfers::number(&socket()?, &verb.into(), lang, json),
        Verb::Clock => transfers::clock(&socket()?, lang, json),
        Verb::Restored { agreement, refuse, unheard } => {
            restored::go_on(&socket()?, &GoOn { agreement, refuse, unheard }, lang, json)
        }
        Verb::SayAgain { agreement, from } => {
            restored::say_again(&socket()?, &SayAgain { agreement, from }, lang, json)
        }
        Verb::Notices(only) => notices::list(&socket()?, &only.into(), lang, json),
        Verb::Deadlines { only, ics } => {
            deadlines::list(&socket()?, (&only.into(), ics), lang, json)
        }
        Verb::Health(ask) => health::check(&config()?, &ask, lang, json),
        Verb::Ready { code } => transfers::act(&socket()?, "ready", code, lang, json),
        Verb::Open { code } => open::open(&socket()?, code, lang, json),
        Verb::Take { code } => open::take(&socket()?, code),
        Verb::Evidence { verb } => on.evidence(verb),
        Verb::Ledger { verb } => ledger::verify(&socket()?, &verb, lang, json),
        Verb::Key { verb } => keys::run(verb, &on.path, lang, json),
        Verb::Config { verb: ConfigVerb::Check } => check::check(&config()?, lang, json),
        Verb::Demo { unattended, dir, file, stop_before_open } => {
            demo::run(&demo::Order { unattended, dir, file, stop_before_open, lang, json })
        }
    }
}

/// Makes a host, and says what comes next.
fn start(
    host: Kind,
    dir: &std::path::Path,
    id: &PartyId,
    name: &str,
    listen: &Address,
    (lang, json): (Lang, bool),
) -> Result<()> {
    let role = match host {
        Kind::Agency => Role::Agency,
        Kind::Municipality => Role::Municipality,
        Kind::Dropzone => Role::DropZone,
    };
    let language = lang.pick("nl", "en");
    init::make(&init::Order { role, folder: dir, id, name, language, listen })?;
    if json {
        return output::json(&serde_json::json!({ "config": dir.join("sluis.toml") }));
    }
    output::line(format!(
        "{}: {}",
        lang.pick("gemaakt", "made"),
        dir.join("sluis.toml").display()
    ))?;
    output::line(lang.pick(
        "Volgende stap: toon uw kaart aan de andere partij.",
        "Next: show your card to the other party.",
    ))?;
    output::line(format!("  sluis --config {} identity", dir.join("sluis.toml").display()))
}
