//! Every target on its seeds and on what becomes of them: the same bytes on every run, with any compiler.

#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sluis_fuzz::{TARGETS, Target};

/// How many changed inputs each seed gives.
const CHANGES: usize = 400;

/// SplitMix64: numbers that are the same everywhere.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end.max(1) as u64).unwrap()
    }
}

/// A few bytes of it changed, taken out, said twice, or replaced by a piece of another seed.
fn changed(seed: &[u8], seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let end = (at + numbers.below(17)).min(bytes.len());
        match numbers.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            1 => bytes.insert(at, b"\0 \"0-9:;,{}[]<>\n\xff"[numbers.below(17)]),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            4 => bytes.truncate(at),
            _ => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len());
                let to = (from + numbers.below(65)).min(other.len());
                bytes.splice(at..end, other[from..to].iter().copied());
            }
        }
    }
    bytes
}

fn replay(target: &Target) {
    let seeds = (target.seeds)();
    let taken = seeds.iter().filter(|seed| (target.take)(seed)).count();
    assert!(taken > 0, "{}: no seed is taken, so nothing behind the parser is tried", target.name);
    let mut numbers = Numbers(0);
    let mut refused = 0;
    for seed in &seeds {
        for _ in 0..CHANGES {
            let bytes = changed(seed, &seeds, &mut numbers);
            let outcome = std::panic::catch_unwind(|| (target.take)(&bytes));
            match outcome {
                Ok(taken) => refused += usize::from(!taken),
                Err(_) => panic!("{}: {:?}", target.name, bytes.escape_ascii().to_string()),
            }
        }
    }
    assert!(refused > 0, "{}: it takes whatever it gets", target.name);
}

#[test]
fn every_target_holds_on_its_seeds_and_on_what_becomes_of_them() {
    assert_eq!(TARGETS.len(), 21);
    for target in TARGETS {
        replay(target);
    }
}

/// The files of `fuzz/corpus` are named by what becomes of them: a format that is read otherwise from now on shows here.
#[test]
fn the_corpus_is_read_as_the_names_of_its_files_say() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let names = |folder: &Path| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
    };
    let targets: BTreeSet<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names(&corpus), targets, "each target has a folder");
    for target in TARGETS {
        let folder = corpus.join(target.name);
        let mut kinds = BTreeSet::new();
        for name in names(&folder) {
            let (kind, _) = name.split_once('-').unwrap();
            let bytes = fs::read(folder.join(&name)).unwrap();
            assert!(bytes.len() <= 8192, "{}/{name}: a few small files", target.name);
            let taken = if (target.take)(&bytes) { "taken" } else { "refused" };
            assert_eq!(taken, kind, "{}/{name}", target.name);
            kinds.insert(taken);
        }
        assert_eq!(kinds.len(), 2, "{}: one that is taken, and one that is not", target.name);
    }
}
