//! The sockets of the cores as the manual has them, and what a ledger says that somebody did.

use std::path::PathBuf;

use sluis_core::duty::Duty;

use crate::{World, stdout};

/// The line in `sluis.toml` that gives both cores a socket for a notifier.
pub const NOTIFIER: &str = "\n[notifier]\nsmtp = \"127.0.0.1:2525\"\nfrom = \"Sluis <sluis@party.example>\"\n\
    to = [\"officer@party.example\"]\n";

/// Who acts in a world: root, who made it, and the users by whose numbers tests have somebody else do something.
fn somebody() -> impl Iterator<Item = u32> {
    [0, 65_533, 65_534].into_iter().chain(61_001..61_200)
}

/// A host's `sluis.toml` in which these duties stand in place of those that are there.
#[must_use]
pub fn with_duties(text: &str, duties: &str) -> String {
    let (before, rest) = text.split_once("\n[duties]\n").unwrap();
    let after = rest.find("\n[").unwrap();
    format!("{before}\n[duties]\n{duties}{}", &rest[after..])
}

/// The same for whoever acts in a world: `init` lets nobody in but who made the host.
#[must_use]
pub fn for_everybody(text: &str) -> String {
    let users = somebody().map(|uid| uid.to_string()).collect::<Vec<_>>().join(", ");
    let duty = |duty: &Duty| format!("{} = [{users}]\n", duty.name());
    with_duties(text, &Duty::ALL.iter().map(duty).collect::<String>())
}

/// A socket that is for no person.
#[derive(Debug)]
pub struct Gate {
    /// As `sealer-carrier`.
    pub name: String,
    /// Its verbs.
    pub verbs: Vec<String>,
}

impl Gate {
    /// Every one that the table of `docs/operations.md` has.
    ///
    /// # Panics
    /// Where there is no such table.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let table = include_str!("../../docs/operations.md");
        let mut lines =
            table.lines().skip_while(|line| *line != "| socket | for | verbs |").skip(2);
        let mut found = Vec::new();
        while let Some(line) = lines.next().filter(|line| line.starts_with("| `")) {
            let [sockets, _, verbs] = line.trim_matches('|').split(" | ").collect::<Vec<_>>()[..]
            else {
                panic!("{line}")
            };
            let words = |cell: &str| -> Vec<String> {
                cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
            };
            let gate = |socket: String| Self {
                name: socket.strip_suffix(".sock").unwrap().to_owned(),
                verbs: words(verbs),
            };
            found.extend(words(sockets).into_iter().map(gate));
        }
        assert_eq!(found.len(), 8, "{found:?}");
        found
    }

    /// Where it lies.
    #[must_use]
    pub fn socket(&self, world: &World) -> PathBuf {
        let host = if self.name.starts_with("sealer") { "agency" } else { "municipality" };
        world.path(host).join("run").join(format!("{}.sock", self.name))
    }
}

/// The kinds of the entries of a host's ledger that name this user, in their order.
#[must_use]
pub fn did(world: &World, host: &str, user: &str) -> Vec<String> {
    let ledger = stdout(&world.cli(host, &["ledger", "export"]));
    let entries =
        ledger.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let own = entries.filter(|entry| entry["detail"]["by"] == user);
    own.map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
}
