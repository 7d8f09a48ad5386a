//! The mailbox: letters in order, with a size and an end.

use super::*;

#[tokio::test]
async fn letters_arrive_in_order_once_and_on_the_other_side() {
    let bed = Bed::new();
    let put = async |peer: &str, number: u64, letter: &'static str| {
        let path = format!("/mechelen/mailbox/{number}");
        bed.ask(peer, "PUT", &path, &[], letter).await.status
    };
    let (agency, municipality) = ("agency of mechelen", "municipality of mechelen");
    assert_eq!(put(agency, 10, "ten").await, 201);
    assert_eq!(put(agency, 9, "nine").await, 201);
    assert_eq!(put(agency, 9, "nine").await, 204, "again");
    assert_eq!(put(agency, 9, "other").await, 409);
    assert_eq!(put(municipality, 9, "back").await, 201, "each direction has its own numbers");
    assert_eq!(put(agency, 11, "").await, 400);
    assert_eq!(put(agency, 11, "eleven").await, 201);
    assert_eq!(put(agency, 12, "twelve").await, 507, "three are unread");
    assert_eq!(put(agency, 10, "ten").await, 204, "what is here needs no room");

    let letter = |number: u64, text: &str| serde_json::json!({"number": number, "letter": BASE64.encode(text.as_bytes())});
    let all = bed.municipality("GET", "/mechelen/mailbox").await.json();
    let three = [letter(9, "nine"), letter(10, "ten"), letter(11, "eleven")];
    assert_eq!(all, serde_json::json!({"letters": three}));
    let later = bed.municipality("GET", "/mechelen/mailbox?after=10").await.json();
    assert_eq!(later, serde_json::json!({"letters": [letter(11, "eleven")]}));
    assert_eq!(put(agency, 12, "twelve").await, 201, "two were read");
    let own = bed.agency("GET", "/mechelen/mailbox?after=0").await.json();
    assert_eq!(own, serde_json::json!({"letters": [letter(9, "back")]}));
    for bad in ["after=-1", "after=x", "before=1"] {
        let path = format!("/mechelen/mailbox?{bad}");
        assert_eq!(bed.agency("GET", &path).await.status, 400);
    }
}

#[tokio::test]
async fn a_letter_has_a_size_and_an_end() {
    let bed = Bed::new();
    let put = async |body: Body| {
        bed.ask("agency of mechelen", "PUT", "/mechelen/mailbox/1", &[], body).await.status
    };
    assert_eq!(put(Body::from(vec![0; MAX_BYTES + 1])).await, 413);
    assert_eq!(put(cut("a")).await, 400);
    assert_eq!(put(silent("a")).await, 408);
    assert_eq!(put(Body::from(vec![0; MAX_BYTES])).await, 201);
    let letters = bed.municipality("GET", "/mechelen/mailbox").await.json();
    let letter = letters["letters"][0]["letter"].as_str().unwrap();
    assert_eq!(BASE64.decode(letter.as_bytes()).unwrap().len(), MAX_BYTES);
}

/// Of the threads that wait for the disk each agreement has some, and never all.
#[tokio::test]
async fn an_agreement_that_keeps_its_threads_busy_keeps_no_other_waiting() {
    let bed = Bed::new();
    let own = Arc::clone(&bed.zone.spaces[&"mechelen".parse().unwrap()].turns);
    let busy = own.acquire_many_owned(zone::TURNS.try_into().unwrap()).await.unwrap();
    let put = async |of: &str| {
        let (peer, path) = (format!("agency of {of}"), format!("/{of}/mailbox/1"));
        bed.ask(&peer, "PUT", &path, &[], "x").await.status
    };
    let mut waits = pin!(put("mechelen"));
    assert!(parked(waits.as_mut()).await);
    assert_eq!(put("gent").await, 201);
    assert!(parked(waits.as_mut()).await, "others were served meanwhile");
    drop(busy);
    assert_eq!(waits.await, 201);
}

/// Letters are read in pieces that a slow reader may keep in memory.
#[tokio::test]
async fn an_answer_holds_a_mebibyte_of_letters_and_the_next_one_goes_on() {
    let bed = Bed::new();
    let numbers: Vec<u64> = (1..=60).collect();
    for number in &numbers {
        let letter = bed.path(&format!("mechelen/mailbox/municipality/{number:020}"));
        fs::write(letter, vec![b'x'; MAX_BYTES]).unwrap();
    }
    let bed = bed.reopen();
    let (mut read, mut answers) = (Vec::new(), 0);
    loop {
        let path = format!("/mechelen/mailbox?after={}", read.last().copied().unwrap_or(0));
        let answer = bed.municipality("GET", &path).await.json();
        let letters = answer["letters"].as_array().unwrap().clone();
        if letters.is_empty() {
            break;
        }
        assert!(letters.len() * MAX_BYTES < (1 << 20) + MAX_BYTES + 1, "{}", letters.len());
        read.extend(letters.iter().map(|letter| letter["number"].as_u64().unwrap()));
        answers += 1;
    }
    assert_eq!(read, numbers);
    assert!(answers > 1);
}

#[tokio::test]
async fn letters_go_when_they_were_read_and_are_old() {
    let bed = Bed::new();
    for number in ["1", "2"] {
        let path = format!("/mechelen/mailbox/{number}");
        assert_eq!(bed.ask("agency of mechelen", "PUT", &path, &[], "x").await.status, 201);
    }
    let bed = bed.reopen();
    let numbers = async |after: u64| {
        let path = format!("/mechelen/mailbox?after={after}");
        let letters = bed.municipality("GET", &path).await.json();
        let letters = letters["letters"].as_array().unwrap().clone();
        letters.iter().map(|letter| letter["number"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    bed.clock.advance_ms(30 * DAY - 1);
    assert_eq!(numbers(1).await, [2]);
    bed.zone.sweep().unwrap();
    assert_eq!(numbers(0).await, [1, 2], "young still, by the time at which they came");
    bed.clock.advance_ms(1);
    bed.zone.sweep().unwrap();
    assert_eq!(numbers(0).await, [2], "an unread one stays");
    assert!(numbers(u64::MAX).await.is_empty());
    let late = bed.ask("agency of mechelen", "PUT", "/mechelen/mailbox/3", &[], "x").await;
    assert_eq!(late.status, 201);
    bed.clock.advance_ms(30 * DAY);
    bed.zone.sweep().unwrap();
    assert_eq!(numbers(0).await, [3], "nobody reads what is still to come");
}

/// A letter that was read is kept for thirty days: of those too there is a most.
#[tokio::test]
async fn letters_that_were_read_count_too() {
    let bed = Bed::new();
    let put = async |number: usize| {
        let path = format!("/mechelen/mailbox/{number}");
        bed.ask("agency of mechelen", "PUT", &path, &[], "x").await.status
    };
    for number in 1..=6 {
        assert_eq!(put(number).await, 201);
        let _ = bed.municipality("GET", &format!("/mechelen/mailbox?after={number}")).await;
    }
    assert_eq!(put(7).await, 507);
    bed.clock.advance_ms(30 * DAY);
    bed.zone.sweep().unwrap();
    assert_eq!(put(7).await, 201);
}

#[tokio::test]
async fn who_begins_anew_takes_back_what_nobody_read_and_nothing_else() {
    let bed = Bed::new();
    let put = async |path: &str, letter: &'static str| {
        let path = format!("/mechelen/mailbox/{path}");
        bed.ask("agency of mechelen", "PUT", &path, &[], letter).await.status
    };
    for (number, letter) in [("1", "one"), ("2", "two"), ("3", "three")] {
        assert_eq!(put(number, letter).await, 201);
    }
    let read = async |after: u64| {
        let path = format!("/mechelen/mailbox?after={after}");
        let letters = bed.municipality("GET", &path).await.json();
        let letters = letters["letters"].as_array().unwrap().clone();
        letters.iter().map(|it| it["letter"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let text = |letter: &str| BASE64.encode(letter.as_bytes());
    assert_eq!(read(1).await, [text("two"), text("three")]);
    assert_eq!(put("1?anew=true", "other").await, 409, "it was read");
    assert_eq!(put("2?anew=false", "other").await, 409);
    assert_eq!(put("2?anew=yes", "other").await, 400);
    assert_eq!(put("2?anew=true", "again").await, 201);
    assert_eq!(read(1).await, [text("again")]);
    assert_eq!(put("3", "after that").await, 201);
    assert_eq!(put("2?anew=true", "again").await, 204, "the same once more takes nothing back");
    assert_eq!(read(1).await, [text("again"), text("after that")]);
    // Said once more: it lies there in place of what did, read or not, and takes back nothing else.
    assert_eq!(put("1?again=true&anew=true", "one").await, 400);
    assert_eq!(put("1?again=true", "one, for another key").await, 201);
    assert_eq!(put("1?again=true", "one, for another key").await, 204);
    let all = ["one, for another key", "again", "after that"].map(text);
    assert_eq!(read(0).await, all);
}
