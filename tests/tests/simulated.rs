//! Both parties in virtual time: seeds of faults, and years.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::sync::Arc;

use sluis_core::agreement::Side;
use sluis_core::id::Time;
use sluis_tests::sim::Sim;
use sluis_tests::sim::parts::Parts;
use sluis_tests::world::Plan;

#[tokio::test]
async fn a_list_crosses_the_lock_in_virtual_time() {
    let plan = Plan::default().over("");
    let parts = Arc::new(Parts::of(&plan.agreement, &plan.contacts));

    let mut sim = Sim::new(parts, Time(1_700_000_000_000), 1).await;
    sim.put("lijst.csv", b"een lijst");
    while sim.round().await {}
    let row = sim.rows(Side::Agency).await.pop().unwrap();
    assert_eq!(row.state, "Released", "{row:?}");
    sim.type_lines(&row.code, &row).await;
    while sim.round().await {}
    assert_eq!(sim.rows(Side::Municipality).await[0].state, "Opened");
    assert_eq!(sim.rows(Side::Agency).await[0].state, "Closed");
}
