//! Writes the parts of `sluisd` and `sluis` to standard output, as CycloneDX 1.5.

fn main() {
    println!("{:#}", sluis_tests::sbom::of_product());
}
