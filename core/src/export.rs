//! Which statements a folder of exported evidence holds, in which order and under which names. The list of them is what
//! the [`Head`](crate::ledger::Head) of its party signs: nobody can leave one out, put one in or change their order.

pub mod decisions;

use crate::agreement::Side;
use crate::evidence::Terms;
use crate::id::{Digest, Time};
use crate::ledger::{self, Part, SaidOnce};
use crate::notice::Sort;
use crate::statement::{self, FormError, Statement};

/// How the name of what was said before a folder begins, and shows there all the same, begins.
const EARLIER: &str = "earlier-";
/// The longest name of a file: two names of 63 characters and two numbers are in it.
const LONGEST: usize = 200;
/// The most statements that a list is read with.
const MOST: usize = 1_000_000;

/// A statement in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Digest of its bytes.
    pub statement: Digest,
    /// Digest of its signature's text.
    pub signature: Digest,
    /// When the folder's party entered it.
    pub entered: Time,
    /// Whether it had an effect there.
    pub effect: bool,
    /// The name of its file; that of its signature has `.sig` behind it.
    pub file: String,
}

impl Listed {
    fn line(&self) -> String {
        let effect = if self.effect { "effect" } else { "void" };
        let Self { statement, signature, entered, file, .. } = self;
        format!("{statement} {signature} {} {effect} {file}\n", entered.0)
    }
    fn read(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let [statement, signature, entered, effect, file] = words[..] else { return None };
        // A file of the folder itself: no path, nothing hidden, nothing that speaks to a terminal.
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
        if file.len() > LONGEST || file.starts_with('.') || !file.bytes().all(plain) {
            return None;
        }
        Some(Self {
            statement: statement.parse().ok()?,
            signature: signature.parse().ok()?,
            entered: Time(entered.parse().ok()?),
            effect: effect == "effect",
            file: file.to_owned(),
        })
    }
    /// Whether it was said before the folder begins.
    #[must_use]
    pub fn is_earlier(&self) -> bool {
        self.file.starts_with(EARLIER)
    }
}

/// A list as a file: one line a statement.
#[must_use]
pub fn list<'a>(listed: impl IntoIterator<Item = &'a Listed>) -> String {
    listed.into_iter().map(Listed::line).collect()
}

/// Reads a list in its one form.
#[must_use]
pub fn read(text: &str) -> Option<Vec<Listed>> {
    let listed: Vec<Listed> = text.lines().take(MOST).map(Listed::read).collect::<Option<_>>()?;
    (list(&listed) == text).then_some(listed)
}

/// What a statement's file is called: its place among the folder's own or among the earlier ones, whose it is, its
/// number, its kind.
#[must_use]
pub fn file_of(earlier: bool, place: usize, statement: &Statement) -> String {
    let (header, kind) = (&statement.header, statement.body.kind());
    let before = if earlier { EARLIER } else { "" };
    format!("{before}{place:04}-{}-{:04}-{kind}.json", header.issuer, header.number)
}

/// What belongs in the folder of this part, of all that a ledger has under its agreement, each with its place there.
/// What two persons let pass stays visible (R84): what was overridden before the part begins comes first. Nothing else
/// where nothing was said.
///
/// # Errors
/// [`FormError`] where something is no statement.
pub fn choose(all: &[SaidOnce], of: Part) -> Result<Vec<(usize, Listed)>, FormError> {
    let read = |once: &SaidOnce| Statement::read(once.signed.statement.as_bytes());
    let statements = all.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let within = places(all, &statements, of);
    let first = within.first().copied().unwrap_or_else(|| match of {
        Part::Year(year) => {
            let before = all.iter().rposition(|it| it.entered.date().year() < year);
            before.map_or(0, |last| last + 1)
        }
        Part::All | Part::Transfer(_) => 0,
    });
    let overridden = |place: &usize| statements[*place].body.kind() == Sort::Override.kind();
    let earlier = (0..first).filter(overridden).collect::<Vec<_>>();
    let listed = |earlier: bool| {
        let statements = &statements;
        move |(at, place): (usize, usize)| {
            let SaidOnce { entered, effect, signed, .. } = &all[place];
            let signature = Digest::of(signed.signature.as_bytes());
            let file = file_of(earlier, at + 1, &statements[place]);
            let (entered, effect, statement) = (*entered, *effect, signed.digest());
            (place, Listed { statement, signature, entered, effect, file })
        }
    };
    let before = earlier.into_iter().enumerate().map(listed(true));
    Ok(before.chain(within.into_iter().enumerate().map(listed(false))).collect())
}

/// Where in the ledger's order the part stands. What a clock that was set back dates otherwise stays between the first
/// and the last of its year: numbers have no gap.
fn places(all: &[SaidOnce], statements: &[Statement], of: Part) -> Vec<usize> {
    let in_year = |year: i16| move |once: &SaidOnce| once.entered.date().year() == year;
    match of {
        Part::All => (0..all.len()).collect(),
        Part::Year(year) => {
            let first = all.iter().position(in_year(year)).unwrap_or(0);
            let last = all.iter().rposition(in_year(year)).map_or(first, |last| last + 1);
            (first..last).collect()
        }
        Part::Transfer(id) => {
            let about = |place: &usize| statements[*place].header.transfer == Some(id);
            (0..all.len()).filter(about).collect()
        }
    }
}

/// Both parties' keys in the form of `ssh-keygen -Y verify -f`, those before them too.
#[must_use]
pub fn signers(terms: &Terms) -> String {
    let agreement = &terms.agreement;
    let line = |side, key: &str| {
        format!(
            "{} namespaces=\"{},{}\" {}\n",
            agreement.party(side).id,
            statement::NAMESPACE,
            ledger::NAMESPACE,
            key.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
        )
    };
    let all = [Side::Agency, Side::Municipality]
        .into_iter()
        .flat_map(|side| agreement.party_keys(side).history().map(move |(_, key)| line(side, key)));
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::Notice;
    use crate::statement::tests::header;
    use crate::statement::{Body, Ready, Signed};

    /// A day in June of that year, in Brussels as in UTC.
    fn june(year: i64) -> Time {
        Time((year - 1970) * 31_556_952_000 + 14_000_000_000)
    }

    fn once(number: u64, entered: Time, body: Body) -> SaidOnce {
        let statement =
            Statement { header: header("agentschap-ii", "stad-mechelen", number), body };
        let statement = String::from_utf8(statement.bytes().unwrap()).unwrap();
        let signed = Signed { statement, signature: format!("signature {number}") };
        SaidOnce { entry: number, entered, effect: number != 2, signed }
    }

    fn three_years() -> Vec<SaidOnce> {
        let ready = || Body::from(Ready { removed: Digest::none() });
        let waived = Body::Notice(
            Sort::Override,
            Notice { case: Some(Digest::none()), ..Notice::of("single-row: once") },
        );
        vec![
            once(1, june(2026), ready()),
            once(2, june(2026), waived),
            once(3, june(2027), ready()),
            once(4, june(2028), ready()),
        ]
    }

    fn files(of: Part) -> Vec<String> {
        choose(&three_years(), of).unwrap().into_iter().map(|(_, listed)| listed.file).collect()
    }

    #[test]
    fn r84_what_two_persons_let_pass_is_in_the_folder_of_each_later_year() {
        let waived = "0002-agentschap-ii-0002-override.json";
        assert_eq!(files(Part::Year(2026)), ["0001-agentschap-ii-0001-ready.json", waived]);
        let earlier = "earlier-0001-agentschap-ii-0002-override.json";
        assert_eq!(files(Part::Year(2027)), [earlier, "0001-agentschap-ii-0003-ready.json"]);
        assert_eq!(files(Part::Year(2028)), [earlier, "0001-agentschap-ii-0004-ready.json"]);
        assert_eq!(files(Part::All).len(), 4);
        assert_eq!(files(Part::Year(2029)), [earlier], "nothing was said then");
        assert!(files(Part::Year(2025)).is_empty());
        let all = three_years();
        let of = Statement::read(all[3].signed.statement.as_bytes()).unwrap().header.transfer;
        let of = choose(&all, Part::Transfer(of.unwrap())).unwrap();
        assert_eq!(of.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [1, 3]);
    }

    #[test]
    fn a_list_has_one_form_and_reads_back() {
        let listed = choose(&three_years(), Part::Year(2027)).unwrap();
        let listed: Vec<_> = listed.into_iter().map(|(_, listed)| listed).collect();
        assert!(listed[0].is_earlier() && !listed[0].effect && !listed[1].is_earlier());
        let text = list(&listed);
        assert_eq!(read(&text).unwrap(), listed);
        for other in [
            text.replace(" void ", " none "),
            text.replace(' ', "  "),
            text.trim_end().to_owned(),
            text.to_uppercase(),
            text.replace(" 0001-", " ../0001-"),
            text.replace(" 0001-", " /0001-"),
            text.replace(" 0001-", " .0001-"),
            text.replace(" 0001-", " \u{1b}[2J0001-"),
        ] {
            assert!(read(&other).is_none(), "{other}");
        }
    }
}
