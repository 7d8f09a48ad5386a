//! The lock and the phones, drawn in the terminal.

use crate::language::Lang;

/// Which gate is open. There is no drawing with both.
#[derive(Clone, Copy)]
pub(super) enum Gates {
    /// The sealed file crosses.
    FileOpen,
    /// It has crossed; the key has not left.
    BothShut,
    /// The shares leave.
    KeyOpen,
}

impl Gates {
    /// Two gates, side by side.
    pub(super) fn draw(self, lang: Lang) -> String {
        let (file, key) = match self {
            Self::FileOpen => (true, false),
            Self::BothShut => (false, false),
            Self::KeyOpen => (false, true),
        };
        let gate = |open: bool| {
            if open {
                ["  ║      ║  ", "  ║      ║  ", "~~║~~~~~~║~~"]
            } else {
                ["  ║ ████ ║  ", "  ║ ████ ║  ", "~~║~████~║~~"]
            }
        };
        let word = |open: bool| match (lang, open) {
            (Lang::Nl, true) => "OPEN ",
            (Lang::Nl, false) => "DICHT",
            (Lang::En, true) => "OPEN ",
            (Lang::En, false) => "SHUT ",
        };
        let (left, right) = (gate(file), gate(key));
        let boat =
            if file { ["~~~~~~", "~[##]~", "~~~~~~"] } else { ["      ", "      ", "~~~~~~"] };
        let shares = if key { "  >> 1  >> 2  >> 3" } else { "" };
        let heads = (
            lang.pick("BESTANDSDEUR ", "FILE GATE    "),
            lang.pick("SLEUTELDEUR ", "KEY GATE    "),
        );
        format!(
            "\n      {} {}            {} {}\n        {}{}        {}\n        {}{}        {}{}\n     ~~~{}{}~~~~~~~~{}~~~~~~~~\n",
            heads.0,
            word(file),
            heads.1,
            word(key),
            left[0].replace("      ", boat[0].replace('~', " ").as_str()),
            "      ",
            right[0],
            left[1].replace("      ", boat[1].replace('~', " ").as_str()),
            "      ",
            right[1],
            shares,
            left[2],
            boat[2],
            right[2],
        )
    }
}

/// Messages as phones, side by side.
pub(super) fn phones(messages: &[(String, String)]) -> String {
    const WIDTH: usize = 25;
    let wrap = |text: &str| -> Vec<String> {
        let mut rows: Vec<String> = Vec::new();
        for line in text.trim_end().lines() {
            let mut row = String::new();
            for piece in line.split_inclusive([' ', '-']) {
                if row.chars().count() + piece.trim_end().chars().count() > WIDTH {
                    rows.push(std::mem::take(&mut row));
                }
                row.push_str(piece);
            }
            rows.push(row);
        }
        rows.iter().map(|row| row.trim_end().to_owned()).collect()
    };
    let pages: Vec<Vec<String>> = messages.iter().map(|(_, text)| wrap(text)).collect();
    let height = pages.iter().map(Vec::len).max().unwrap_or(0);
    let row = |cells: Vec<String>| format!("    {}\n", cells.join("  "));
    let mut drawn = row(pages.iter().map(|_| format!("╭{}╮", "─".repeat(WIDTH + 2))).collect());
    drawn += &row(messages.iter().map(|(name, _)| format!("│ {name:^WIDTH$} │")).collect());
    drawn += &row(pages.iter().map(|_| format!("├{}┤", "─".repeat(WIDTH + 2))).collect());
    for at in 0..height {
        drawn += &row(pages
            .iter()
            .map(|page| format!("│ {:<WIDTH$} │", page.get(at).map_or("", String::as_str)))
            .collect());
    }
    drawn + &row(pages.iter().map(|_| format!("╰{}╯", "─".repeat(WIDTH + 2))).collect())
}
