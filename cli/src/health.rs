//! `sluis health`: how this host's core stands, for people, for Nagios and its kin, and for Prometheus.

use std::fmt::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sluis_config::Config;
use sluis_core::control::Refused;
use sluis_core::health::{Finding, Health, Level};

use crate::failure::{Failure, Result, exit};
use crate::language::Lang;
use crate::output;
use crate::socket::Socket;

/// In which form it is asked for.
#[derive(clap::Args)]
pub(crate) struct Ask {
    /// As metrics, in the text format of Prometheus.
    #[arg(long)]
    prometheus: bool,
    /// Into this file, whole or not at all.
    #[arg(long, value_name = "FILE", requires = "prometheus")]
    to: Option<PathBuf>,
}

/// Asks, says it, and ends with 0, 1 or 2: in order, worth a look, somebody must act.
pub(crate) fn check(config: &Config, ask: &Ask, lang: Lang, json: bool) -> Result<()> {
    // Monitoring has a socket of its own; whoever may use that of persons needs no other.
    let asked = Socket::to_health(config).and_then(|socket| socket.get::<Health>("health"));
    let asked = match asked {
        Err(away) if away.is_away() => {
            Socket::of(config).and_then(|socket| socket.get("health")).map_err(|_| away)
        }
        other => other,
    };
    if ask.prometheus {
        let text = match &asked {
            Ok(health) => metrics(health),
            Err(failure) if failure.is_away() => gauge("sluis_up", UP, &[(String::new(), 0)]),
            Err(_) => return asked.map(drop),
        };
        let to = ask.to.as_deref();
        return to.map_or_else(|| output::write(text.as_bytes()), |to| replace(to, &text));
    }
    let (level, found) = match &asked {
        Ok(health) => (health.level(), health.findings()),
        Err(failure) if failure.is_away() => (Level::Critical, vec![away(failure)]),
        Err(_) => return asked.map(drop),
    };
    if json {
        output::json(&serde_json::json!({
            "level": level, "findings": found, "health": asked.ok(),
        }))?;
    } else {
        let word = match level {
            Level::Ok => "OK",
            Level::Warning => "WARNING",
            Level::Critical => "CRITICAL",
        };
        // Monitoring shows the first line alone: all of it stands there.
        let line = |it: &Finding| {
            it.words.text(lang.core()).split('\n').map(str::trim).collect::<Vec<_>>().join("; ")
        };
        let what: Vec<_> = found.iter().map(line).collect();
        let fine = || lang.pick("alles in orde", "all in order").to_owned();
        let what = if what.is_empty() { fine() } else { what.join("; ") };
        output::line(format!("SLUIS {word}: {what}"))?;
    }
    match level {
        Level::Ok => Ok(()),
        Level::Warning => Err(Failure::said(exit::WARNING)),
        Level::Critical => Err(Failure::said(exit::CRITICAL)),
    }
}

/// That the core does not answer, as one more finding.
fn away(failure: &Failure) -> Finding {
    let Refused { code, words, .. } = failure.refused_as().clone();
    Finding { level: Level::Critical, code, words }
}

/// A whole file or the one before, never half of one: the collector may read at any moment.
fn replace(to: &Path, text: &str) -> Result<()> {
    let part = to.with_extension("part");
    let failed = || Failure::io(to.display());
    let mut options = std::fs::OpenOptions::new();
    let made = options.write(true).create(true).truncate(true).mode(0o644).open(&part);
    made.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
        .and_then(|()| std::fs::rename(&part, to))
        .map_err(failed())
}

const UP: &str = "Whether the core answers.";

/// A number without labels.
fn one(value: u64) -> [(String, u64); 1] {
    [(String::new(), value)]
}

/// What keeps lists from moving on.
fn held(health: &Health) -> String {
    [
        gauge(
            "sluis_clock_held",
            "Whether the clock jumped ahead and is not believed.",
            &one(u64::from(health.clock_held)),
        ),
        gauge(
            "sluis_set_back",
            "Agreements under which an older store was put back.",
            &one(health.set_back),
        ),
        gauge(
            "sluis_unheard",
            "Agreements under which no list moves on: the other party was not heard since the start.",
            &one(health.unheard),
        ),
        gauge(
            "sluis_versions_waiting",
            "Agreements of which a new version waits for two persons.",
            &one(health.versions),
        ),
    ]
    .concat()
}

/// All of it, in the text format 0.0.4. By hand: these are gauges, and every value of a label is a word of ours or a
/// party's id, so nothing needs to be escaped.
fn metrics(health: &Health) -> String {
    let clocks = |of: fn(&sluis_core::health::Count) -> u64, standing: &str| {
        let line = move |it: &sluis_core::health::Count| {
            let labels =
                format!("clock=\"{}\",ours=\"{}\",standing=\"{standing}\"", it.clock, it.ours);
            (labels, of(it))
        };
        health.clocks.iter().map(line).collect::<Vec<_>>()
    };
    let deadlines = [
        clocks(|it| it.overdue, "overdue"),
        clocks(|it| it.soon, "soon"),
        clocks(|it| it.lapsed, "lapsed"),
    ]
    .concat();
    let gates = |of: fn(&sluis_core::health::Gate) -> Option<u64>| {
        let line = |it: &sluis_core::health::Gate| Some((format!("gate=\"{}\"", it.gate), of(it)?));
        health.gates.iter().filter_map(line).collect::<Vec<_>>()
    };
    let states: Vec<_> =
        health.transfers.iter().map(|(state, n)| (format!("state=\"{state}\""), *n)).collect();
    let level = match health.level() {
        Level::Ok => 0,
        Level::Warning => 1,
        Level::Critical => 2,
    };
    [
        gauge("sluis_up", UP, &one(1)),
        gauge(
            "sluis_info",
            "Whose core this is.",
            &[(format!("party=\"{}\",role=\"{}\"", health.party, health.role), 1)],
        ),
        gauge("sluis_health", "0 in order, 1 worth a look, 2 somebody must act.", &one(level)),
        held(health),
        gauge(
            "sluis_second_person_waiting",
            "What a first person asked for and no second one confirmed.",
            &one(health.asked),
        ),
        gauge("sluis_deadlines", "Deadlines that are missed, near or lapsed, by clock.", &deadlines),
        gauge("sluis_transfers", "Transfers, by state.", &states),
        gauge("sluis_transfers_stuck", "Transfers held or failed, not ended.", &one(health.stuck)),
        gauge("sluis_gate_waiting", "Work that waits for a gate.", &gates(|it| Some(it.waiting))),
        gauge(
            "sluis_gate_oldest_seconds",
            "How long the oldest work of a gate waits.",
            &gates(|it| Some(it.oldest_s.unwrap_or(0))),
        ),
        gauge(
            "sluis_gate_in_vain_seconds",
            "How long the oldest work of a gate waits that was tried in vain.",
            &gates(|it| Some(it.in_vain_s.unwrap_or(0))),
        ),
        gauge(
            "sluis_gate_last_asked_seconds",
            "How long ago a gate last asked for work; missing where it has not since the core started.",
            &gates(|it| it.seen_s),
        ),
    ]
    .concat()
}

fn gauge(name: &str, help: &str, samples: &[(String, u64)]) -> String {
    let mut text = format!("# HELP {name} {help}\n# TYPE {name} gauge\n");
    for (labels, value) in samples {
        let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let _ = writeln!(text, "{name}{labels} {value}");
    }
    text
}
