//! Secrets that a test knows, in every form in which they might turn up, and where to look for them: files, what the
//! system shows of a process, and its memory.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sluis_core::crockford;

/// What must be nowhere, by the name under which a test tells of it.
#[derive(Debug, Default)]
pub struct Secrets {
    forms: Vec<(String, Vec<u8>)>,
}

/// The shortest form that is looked for: a shorter one is found anywhere.
const SHORTEST: usize = 8;

impl Secrets {
    /// A text, as it is.
    pub fn text(&mut self, name: &str, text: &str) {
        self.bytes(name, text.as_bytes());
    }

    /// Symbols of a key or a share as people type them; also as they are without dashes, and what they stand for.
    pub fn symbols(&mut self, name: &str, text: &str, key: std::ops::Range<usize>) {
        let plain = text.replace('-', "");
        self.text(name, text);
        self.text(&format!("{name}, without dashes"), &plain);
        self.text(&format!("{name}, small"), &plain.to_lowercase());
        let symbols = crockford::read(&plain).unwrap();
        let bytes = *crockford::unpack(&symbols[key]).unwrap();
        self.bytes(&format!("{name}, its bytes"), &bytes);
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.text(&format!("{name}, hexadecimal"), &hex);
        self.text(&format!("{name}, hexadecimal in capitals"), &hex.to_uppercase());
        // Wherever it begins in a longer text, these symbols do not hang on what stands beside it.
        for at in 0..3 {
            let padded = [&vec![0; at], &bytes[..]].concat();
            let text = base64(&padded);
            let clean = &text[if at == 0 { 0 } else { 4 }..(padded.len() / 3) * 4];
            self.text(&format!("{name}, base64 at {at}"), clean);
        }
    }

    /// Bytes that a protocol carries as base64 by themselves.
    pub fn base64(&mut self, name: &str, bytes: &[u8]) {
        self.text(&format!("{name}, base64"), &base64(bytes));
    }

    fn bytes(&mut self, name: &str, bytes: &[u8]) {
        assert!(bytes.len() >= SHORTEST, "{name} is too short to be looked for");
        self.forms.push((name.to_owned(), bytes.to_vec()));
    }

    /// The names of those that are in here.
    #[must_use]
    pub fn within(&self, haystack: &[u8]) -> Vec<&str> {
        let mut begins = vec![Vec::new(); 1 << 16];
        for (at, (_, form)) in self.forms.iter().enumerate() {
            begins[usize::from(form[0]) << 8 | usize::from(form[1])].push(at);
        }
        let mut found = Vec::new();
        for (at, pair) in haystack.windows(2).enumerate() {
            for form in &begins[usize::from(pair[0]) << 8 | usize::from(pair[1])] {
                let (name, bytes) = &self.forms[*form];
                if haystack[at..].starts_with(bytes) && !found.contains(&name.as_str()) {
                    found.push(name.as_str());
                }
            }
        }
        found
    }

    /// The files below a folder that have one in them, with which.
    #[must_use]
    pub fn below(&self, folder: &Path) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, meta) = (entry.path(), entry.metadata().unwrap());
            if meta.is_dir() {
                found.extend(self.below(&path));
            } else if meta.is_file() {
                // It may go while we look.
                let bytes = fs::read(&path).unwrap_or_default();
                found.extend(self.within(&bytes).iter().map(|it| (path.clone(), (*it).to_owned())));
            }
            let name =
                std::os::unix::ffi::OsStrExt::as_bytes(entry.file_name().as_os_str()).to_vec();
            found.extend(
                self.within(&name).iter().map(|it| (path.clone(), format!("its name: {it}"))),
            );
        }
        found.sort();
        found
    }

    /// Which of them are in the memory that a process can write to, and where.
    #[must_use]
    pub fn in_memory(&self, pid: u32) -> Vec<String> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let memory = fs::File::open(format!("/proc/{pid}/mem")).unwrap_or_else(|e| {
            panic!("this test reads the memory of a process, which takes root: {e}")
        });
        let (mut found, mut read) = (Vec::new(), 0);
        for line in maps.lines() {
            let mut words = line.split_whitespace();
            let (Some(range), Some(mode)) = (words.next(), words.next()) else { continue };
            let what = words.nth(3).unwrap_or("anonymous");
            if !mode.starts_with("rw") || what.starts_with("[v") {
                continue;
            }
            let (from, to) = range.split_once('-').unwrap();
            let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).unwrap());
            let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
            // A region may have gone since the list was made.
            if memory.read_exact_at(&mut bytes, from).is_ok() {
                read += bytes.len();
                found.extend(self.within(&bytes).iter().map(|it| format!("{it} in {what}")));
            }
        }
        assert!(read > 1 << 20, "hardly anything of process {pid} could be read");
        found
    }
}

fn base64(bytes: &[u8]) -> String {
    const SYMBOLS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        let number = number << (8 * (3 - three.len()));
        for place in 0..=three.len() {
            text.push(char::from(SYMBOLS[number >> (18 - 6 * place) & 63]));
        }
    }
    text
}
