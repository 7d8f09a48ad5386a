//! A clock that jumps ends nothing in the drop zone; what expires does go.

use super::*;

/// A year ahead by one wrong answer of a time server: what is under way stays, and whoever restarts it forgets nothing.
#[tokio::test]
async fn a_clock_that_jumped_ahead_ends_nothing_until_it_is_believed() {
    let bed = Bed::new();
    let path = bed.begin(50).await;
    let put = bed.ask("agency of mechelen", "PUT", "/mechelen/mailbox/1", &[], "x").await;
    assert_eq!(put.status, 201);
    let _ = bed.municipality("GET", "/mechelen/mailbox?after=1").await;
    bed.zone.sweep().unwrap();
    bed.clock.jump_ms(365 * DAY);
    let stands = async |bed: &Bed| {
        bed.zone.sweep().unwrap();
        let letters = bed.municipality("GET", "/mechelen/mailbox").await.json();
        let read = letters["letters"].as_array().unwrap().len();
        (bed.agency("HEAD", &path).await.status, read)
    };
    assert_eq!(stands(&bed).await, (200, 1));
    bed.clock.advance_ms(DAY / 2);
    assert_eq!(stands(&bed).await, (200, 1));
    let bed = bed.reopen();
    assert_eq!(stands(&bed).await, (200, 1), "a restart forgot the jump");
    bed.clock.advance_ms(DAY / 2 - 1);
    assert_eq!(stands(&bed).await, (200, 1));
    // Set right in time, nothing was lost; and it may jump again.
    bed.clock.jump_ms(-365 * DAY);
    assert_eq!(stands(&bed).await, (200, 1));
    bed.clock.jump_ms(365 * DAY);
    assert_eq!(stands(&bed).await, (200, 1));
    let _ = bed.municipality("GET", "/mechelen/mailbox?after=1").await;
    bed.clock.advance_ms(DAY);
    assert_eq!(stands(&bed).await, (410, 0), "the machine was up with it for a day");
}

/// It may be what expires that fills the disk.
#[tokio::test]
async fn a_look_that_the_disk_does_not_take_holds_nothing_up_and_hides_no_jump() {
    let bed = Bed::new();
    let path = bed.begin(50).await;
    bed.zone.sweep().unwrap();
    // No file can be put in the place of a folder.
    fs::remove_file(bed.path(".clock")).unwrap();
    fs::create_dir_all(bed.path(".clock/in")).unwrap();
    bed.clock.jump_ms(365 * DAY);
    assert!(bed.zone.sweep().is_err());
    assert_eq!(bed.agency("HEAD", &path).await.status, 200);
    bed.clock.jump_ms(-365 * DAY);
    assert!(bed.zone.sweep().is_err());
    bed.clock.advance_ms(7 * DAY);
    assert!(bed.zone.sweep().is_err());
    assert_eq!(bed.agency("HEAD", &path).await.status, 410);
}

/// Found by reading: the file of an agreement was taken away, and what lay in the drop zone under it lay there for ever.
#[tokio::test]
async fn what_lies_there_of_an_agreement_that_is_gone_goes_in_time() {
    let bed = Bed::new();
    let path = bed.begin(50).await;
    let put = bed.ask("agency of mechelen", "PUT", "/mechelen/mailbox/1", &[], "x").await;
    assert_eq!((bed.agency("HEAD", &path).await.status, put.status), (200, 201));
    let Bed { folder, clock, zone } = bed;
    drop(zone);
    let bed = Bed::of(&["gent"], folder, clock, Duration::ZERO);
    for peer in ["agency of mechelen", "municipality of mechelen", "agency of gent"] {
        assert_eq!(bed.ask(peer, "HEAD", &path, &[TUS], ()).await.status, 404);
    }
    let left = || fs::read_dir(bed.path("mechelen/files")).unwrap().count();
    bed.clock.advance_ms(7 * DAY - 1);
    bed.zone.sweep().unwrap();
    assert_eq!(left(), 1, "who brings the agreement back finds it");
    bed.clock.advance_ms(1);
    bed.zone.sweep().unwrap();
    assert_eq!(left(), 0);
    // Nothing else is taken for an agreement.
    fs::create_dir(bed.path("eigen")).unwrap();
    let bed = bed.reopen();
    assert_eq!(fs::read_dir(bed.path("eigen")).unwrap().count(), 0);
}
