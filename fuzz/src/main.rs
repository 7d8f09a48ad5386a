//! One target under libFuzzer: `SLUIS_TARGET` names it, `SLUIS_CORPUS` the folder that its seeds are put into.
//! `fuzz/run` builds this and starts it.

#![no_main]

use std::sync::LazyLock;
use std::{env, fs, path};

static TARGET: LazyLock<&'static sluis_fuzz::Target> = LazyLock::new(|| {
    let name = env::var("SLUIS_TARGET").unwrap_or_default();
    sluis_fuzz::target(&name).unwrap_or_else(|| panic!("SLUIS_TARGET={name} is no target"))
});

/// Before libFuzzer reads the folder.
fn put_seeds() {
    let Some(folder) = env::var_os("SLUIS_CORPUS").map(path::PathBuf::from) else { return };
    for (number, seed) in (1..).zip((TARGET.seeds)()) {
        let file = folder.join(format!("seed-{number}"));
        fs::write(&file, seed).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    }
}

libfuzzer_sys::fuzz_target!(init: put_seeds(), |bytes: &[u8]| {
    let _ = (TARGET.take)(bytes);
});
