//! Writes the parts of `sluisd` and `sluis` to standard output, as CycloneDX 1.5.

use std::io::Write;

fn main() -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{:#}", sluis_tests::sbom::of_product())
}
