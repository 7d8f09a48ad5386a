//! What is wrong with a list: which rule, in which rows. Never a value, nor a digit of one (R85).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::article::Article::{self, Art, Recital};
use crate::words::Language;

/// One line per rule: name, stable code, article, what is wrong and what to do in Dutch and in English.
macro_rules! rules {
    ($($name:ident $code:literal $article:expr; $nl:literal $en:literal)+) => {
        /// Why a list may not leave. The code never changes; the text may.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Rule {
            $(#[doc = $en] #[serde(rename = $code)] $name,)+
        }

        impl Rule {
            /// All of them, in the order in which they are reported.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// Its name in records: lower-case words with dashes.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)+ }
            }

            /// The article of the agreement it rests on.
            #[must_use]
            pub fn article(self) -> Article {
                match self { $(Self::$name => $article,)+ }
            }

            /// What is wrong and what to do, without article and place.
            #[must_use]
            pub fn text(self, language: Language) -> &'static str {
                match (self, language) {
                    $((Self::$name, Language::En) => $en, (Self::$name, _) => $nl,)+
                }
            }
        }
    };
}

rules! {
    Format "format" Art(3);
        "alleen .csv en .xlsx kunnen worden nagekeken. Bewaar de lijst als CSV of als Excel-werkmap (.xlsx)."
        "only .csv and .xlsx can be checked. Save the list as CSV or as an Excel workbook (.xlsx)."
    Unreadable "unreadable" Art(7);
        "niet te lezen als wat de naam belooft: beschadigd, met een wachtwoord, een ander soort bestand, of door het ene programma anders te lezen dan door het andere. Maak een nieuwe export zonder wachtwoord."
        "it cannot be read as what its name says: damaged, behind a password, another kind of file, or read by one program otherwise than by another. Make a new export without a password."
    TooLarge "too-large" Art(3);
        "te groot om na te kijken: meer dan 64 MiB, of uitgepakt meer dan 256 MiB. Kijk na of dit de juiste lijst is."
        "too large to check: more than 64 MiB, or more than 256 MiB unpacked. Make sure that this is the right list."
    Encoding "encoding" Art(7);
        "de tekens zijn geen UTF-8 en geen Windows-1252. Bewaar de lijst opnieuw als \"CSV UTF-8\"."
        "the characters are neither UTF-8 nor Windows-1252. Save the list again as \"CSV UTF-8\"."
    Empty "empty" Art(7);
        "er staat niets in. Maak een nieuwe export."
        "there is nothing in it. Make a new export."
    NoRows "no-rows" Art(7);
        "alleen een kopregel, geen personen. Maak een nieuwe export."
        "only a header, no persons. Make a new export."
    SingleRow "single-row" Recital('C');
        "één persoon is een individueel dossier, en dat loopt via MAGDA (GeefDossierKBI). Vraag het daar op, of geef de reden op waarom dit toch een lijst is."
        "one person is an individual dossier, and that goes through MAGDA (GeefDossierKBI). Get it there, or give the reason why this is a list all the same."
    TooManyRows "too-many-rows" Art(3);
        "meer rijen dan de overeenkomst toelaat (data.max-rows). Kijk na of de selectie zich tot deze gemeente beperkt."
        "more rows than the agreement allows (data.max-rows). Make sure that the selection is limited to this municipality."
    HeaderMissing "header-missing" Art(3);
        "de eerste rij is geen kopregel met de kolomnamen van de overeenkomst. Zet die namen in rij 1, zonder titel of lege rij erboven."
        "the first row is not a header with the agreement's column names. Put those names in row 1, with no title or empty row above."
    ColumnMissing "column-missing" Art(3);
        "een kolom van de overeenkomst ontbreekt. Voeg ze toe, met die naam in de kopregel."
        "a column of the agreement is missing. Add it, with that name in the header."
    NameColumn "name-column" Art(3);
        "kolom niet toegelaten: namen van personen staan niet in de tabel van art. 3. Verwijder de kolom; ruimer kan alleen met een nieuwe versie van de overeenkomst."
        "column not allowed: names of persons are not in the table of art. 3. Remove the column; only a new version of the agreement can allow more."
    ColumnNotAllowed "column-not-allowed" Art(3);
        "kolom niet toegelaten: ze staat niet in de overeenkomst. Verwijder ze, of verbeter haar naam in de kopregel."
        "column not allowed: it is not in the agreement. Remove it, or correct its name in the header."
    ColumnTwice "column-twice" Art(3);
        "deze kolom staat er tweemaal. Laat er één staan."
        "this column is there twice. Keep one."
    MoreSheets "more-sheets" Art(3);
        "meer dan één werkblad met gegevens. Laat alleen het blad met de lijst staan."
        "more than one sheet with data. Keep only the sheet with the list."
    Hidden "hidden" Art(3);
        "een verborgen werkblad, rij of kolom: wat niet te zien is, wordt niet verzonden. Maak alles zichtbaar en verwijder wat er niet hoort."
        "a hidden sheet, row or column: what cannot be seen is not sent. Show everything and remove what does not belong."
    WorkbookExtras "workbook-extras" Art(3);
        "de werkmap bevat meer dan de lijst: opmerkingen, afbeeldingen, draaitabellen, koppelingen, macro's, namen, gegevensvalidatie, voorwaardelijke opmaak, printerinstellingen, eigen eigenschappen of resten van verwijderde cellen. Kopieer alleen de waarden naar een nieuwe werkmap, of bewaar als CSV."
        "the workbook holds more than the list: comments, pictures, pivot tables, links, macros, names, data validation, conditional formats, settings of a printer, custom properties, or remains of deleted cells. Copy only the values to a new workbook, or save as CSV."
    WorkbookText "workbook-text" Art(3);
        "tekst of bytes buiten de cellen: in een kop- of voettekst, een eigenschap, een naam of stijl, de XML, of ertussen, waar geen programma kijkt. Maak kop- en voettekst en de eigenschappen leeg, of bewaar als CSV."
        "text or bytes outside the cells: in a header or footer, a property, a name or style, the XML, or in between, where no program looks. Empty headers, footers and properties, or save as CSV."
    Merged "merged-cells" Art(7);
        "samengevoegde cellen. Hef de samenvoeging op en vul elke cel in."
        "merged cells. Unmerge them and fill in every cell."
    Formula "formula" Art(6);
        "een formule in plaats van een waarde. Plak de kolom opnieuw als waarden."
        "a formula in place of a value. Paste the column again as values."
    FormulaCharacter "formula-character" Art(6);
        "een cel begint met =, +, -, @ of een tab; een rekenblad zou ze uitvoeren. Verbeter de waarde in KBI."
        "a cell begins with =, +, -, @ or a tab; a spreadsheet would run it. Correct the value in KBI."
    Character "character" Art(7);
        "een onzichtbaar of ongewoon teken in een cel, zoals een harde spatie. Typ de waarde opnieuw of verbeter ze in KBI."
        "an invisible or unusual character in a cell, such as a no-break space. Type the value again or correct it in KBI."
    LineBreak "line-break" Art(7);
        "een regeleinde binnen een cel, of een aanhalingsteken dat niet sluit. Zet elke persoon op één regel."
        "a line break inside a cell, or a quotation mark that never closes. Put each person on one line."
    Quotes "quotes" Art(7);
        "een aanhalingsteken midden in een cel. Verwijder het."
        "a quotation mark in the middle of a cell. Remove it."
    CellTooLong "cell-too-long" Art(3);
        "een cel met meer dan 64 bytes: geen nummer en geen ja of nee. Kijk na wat daar staat."
        "a cell of more than 64 bytes: neither a number nor a yes or no. See what stands there."
    RowWidth "row-width" Art(7);
        "niet evenveel cellen als de kopregel. Kijk na of er een scheidingsteken te veel of te weinig staat."
        "not as many cells as the header. See whether there is a delimiter too many or too few."
    EmptyRow "empty-row" Art(7);
        "een lege rij in de lijst. Verwijder ze, of vul aan wie ontbreekt."
        "an empty row inside the list. Remove it, or add who is missing."
    EmptyCell "empty-cell" Art(7);
        "een lege cel. Vul het gegeven aan."
        "an empty cell. Fill in what is missing."
    NumberStored "number-stored" Art(7);
        "opgeslagen als getal; voorloopnullen of laatste cijfers zijn verloren. Maak er tekst van: geef de kolom het type Tekst en vul ze opnieuw uit KBI."
        "stored as a number; leading zeros or last digits are lost. Make it text: give the column the type Text and fill it again from KBI."
    NumberForm "number-form" Art(3);
        "geen rijksregisternummer: verwacht 11 cijfers, met of zonder punten, streepje of spaties tussen de groepen. Verbeter het in KBI."
        "not a national register number: 11 digits are expected, with or without dots, dash or spaces between the groups. Correct it in KBI."
    NumberCheck "number-check" Art(3);
        "het controlegetal van het rijksregisternummer klopt niet. Verbeter het nummer in KBI."
        "the check number of the national register number is wrong. Correct the number in KBI."
    NumberDate "number-date" Art(3);
        "de geboortedatum in het rijksregisternummer bestaat niet, ligt in de toekomst of meer dan 120 jaar terug. Verbeter het nummer in KBI."
        "the birth date in the national register number does not exist, lies in the future or more than 120 years back. Correct the number in KBI."
    NumberSerial "number-serial" Art(3);
        "het volgnummer in het rijksregisternummer bestaat niet. Verbeter het nummer in KBI."
        "the serial in the national register number does not exist. Correct the number in KBI."
    NumberBis "number-bis" Art(3);
        "een BIS-nummer: art. 3 laat alleen rijksregisternummers toe. Verwijder de rij, of neem het rijksregisternummer als dat er intussen is."
        "a BIS number: art. 3 allows only national register numbers. Remove the row, or take the national register number if there is one by now."
    NumberTwice "number-twice" Art(7);
        "hetzelfde rijksregisternummer staat er meer dan eens. Laat er één rij van staan."
        "the same national register number is there more than once. Keep one row of it."
    BooleanValue "boolean-value" Art(7);
        "geen ja of nee. Schrijf ja/nee, j/n, waar/onwaar, true/false of 1/0."
        "neither yes nor no. Write ja/nee, j/n, waar/onwaar, true/false or 1/0."
    BooleanMixed "boolean-mixed" Art(7);
        "ja en nee zijn hier anders geschreven dan in de rijen erboven. Gebruik één schrijfwijze in de hele kolom."
        "yes and no are written otherwise here than in the rows above. Use one spelling in the whole column."
    OtherMunicipality "other-municipality" Art(2);
        "niet ingeschreven in de gemeente die ontvangt, volgens de NIS-code. Verwijder de rij, of verbeter de code in KBI."
        "not registered in the receiving municipality, by the NIS code. Remove the row, or correct the code in KBI."
}

impl Rule {
    /// Whether a person may let it pass with a recorded reason.
    #[must_use]
    pub fn overridable(self) -> bool {
        self == Self::SingleRow
    }
}

/// The rows a finding is about, numbered as a spreadsheet shows them: the header is row 1.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rows {
    /// The first of them, ascending: rows that follow one another as one span, from and to; at most [`Rows::SPANS`].
    pub spans: Vec<(u32, u32)>,
    /// How many there are; 0 where the whole file is meant.
    pub total: u32,
}

impl Rows {
    /// How many spans are kept.
    pub const SPANS: usize = 100;

    /// A row is added once: of a column that stands twice each is looked at.
    fn add(&mut self, row: u32) {
        let at = self.spans.partition_point(|(from, _)| *from <= row);
        if at.checked_sub(1).is_some_and(|before| self.spans[before].1 >= row) {
            return;
        }
        self.total = self.total.saturating_add(1);
        let precedes = self.spans.get(at).is_some_and(|(from, _)| *from == row + 1);
        let before = at.checked_sub(1).filter(|before| self.spans[*before].1 + 1 == row);
        match (before, precedes) {
            (Some(before), true) => self.spans[before].1 = self.spans.remove(at).1,
            (Some(before), false) => self.spans[before].1 = row,
            (None, true) => self.spans[at].0 = row,
            (None, false) if at < Self::SPANS => {
                self.spans.truncate(Self::SPANS - 1);
                self.spans.insert(at, (row, row));
            }
            (None, false) => {}
        }
    }

    /// How many are in no span that was kept.
    fn others(&self) -> u32 {
        let kept = self.spans.iter().map(|(from, to)| to - from + 1).sum();
        self.total.saturating_sub(kept)
    }
}

/// One rule that a list breaks, in one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Which rule.
    pub rule: Rule,
    /// Where it is about a column: its name in the agreement, or its letter if it is not in there.
    pub column: Option<String>,
    /// Where.
    pub rows: Rows,
}

impl Finding {
    /// What is wrong, what to do, and where, on one line for people.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let (column, row, more) = match language {
            Language::En => ("column", "row", "and another"),
            _ => ("kolom", "rij", "en nog"),
        };
        let mut places = Vec::new();
        places.extend(self.column.as_ref().map(|name| format!("{column} {name}")));
        let span = |(from, to): &(u32, u32)| match from == to {
            true => from.to_string(),
            false => format!("{from}-{to}"),
        };
        if !self.rows.spans.is_empty() {
            let shown: Vec<_> = self.rows.spans.iter().map(span).collect();
            places.push(format!("{row} {}", shown.join(", ")));
        }
        let rest = self.rows.others();
        if rest > 0 {
            places.push(format!("{more} {rest}"));
        }
        let text = format!("{}: {}", self.rule.article().label(language), self.rule.text(language));
        if places.is_empty() { text } else { format!("{text} [{}]", places.join("; ")) }
    }
}

/// Gathers findings, each rule and column once.
#[derive(Debug, Default)]
pub(super) struct Findings(BTreeMap<(Rule, Option<String>), Rows>);

impl Findings {
    /// About the file as a whole.
    pub(super) fn file(&mut self, rule: Rule) {
        self.0.entry((rule, None)).or_default();
    }
    /// About a row.
    pub(super) fn row(&mut self, rule: Rule, row: u32) {
        self.0.entry((rule, None)).or_default().add(row);
    }
    /// About a column in a row.
    pub(super) fn cell(&mut self, rule: Rule, column: &str, row: u32) {
        self.0.entry((rule, Some(column.to_owned()))).or_default().add(row);
    }
    /// Whether nothing was found.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// What another reading of the same file found.
    pub(super) fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }
    /// All of them, in the order of [`Rule::ALL`].
    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.0.into_iter().map(|((rule, column), rows)| Finding { rule, column, rows }).collect()
    }
}
