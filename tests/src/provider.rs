//! A provider of text messages that does as it is told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the provider does with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// Takes it: 202 and a number.
    Takes,
    /// Says 429; whether it sends the message all the same, nobody can tell.
    Busy,
    /// Says 400.
    Refuses,
    /// Takes it and never answers.
    Silent,
    /// Answers what no template knows.
    Nonsense,
    /// Closes the connection after the request.
    Hangs,
    /// Takes it, and the number that it went to is its number of the message.
    Repeats,
    /// Takes it, and this is its number of the message.
    Calls(&'static str),
}

/// A provider on loopback.
#[derive(Debug)]
pub struct Provider {
    /// Where it listens.
    pub url: String,
    mood: Arc<Mutex<Mood>>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    /// One that does this with each request.
    #[must_use]
    pub fn new(mood: Mood) -> Self {
        Self::at("127.0.0.1:0", mood)
    }

    /// One that listens here.
    #[must_use]
    pub fn at(address: &str, mood: Mood) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let url = format!("http://{}/sms", listener.local_addr().unwrap());
        let (mood, taken) = (Arc::new(Mutex::new(mood)), Arc::new(Mutex::new(Vec::new())));
        let (its_mood, its_taken) = (Arc::clone(&mood), Arc::clone(&taken));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (mood, taken) = (Arc::clone(&its_mood), Arc::clone(&its_taken));
                std::thread::spawn(move || answer(stream, &mood, &taken));
            }
        });
        Self { url, mood, taken }
    }
    /// From now on it does this.
    pub fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }
    /// The bodies of all requests that came, whatever became of them.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        self.taken.lock().unwrap().clone()
    }
    /// A channel that goes to this provider, for `sluis.toml`.
    #[must_use]
    pub fn channel(&self, id: &str) -> String {
        channel(id, &self.url)
    }
}

/// A channel that goes to the provider behind this URL.
#[must_use]
pub fn channel(id: &str, url: &str) -> String {
    format!(
            "\n[releaser.channels.{id}]\ndriver = \"http\"\nurl = \"{url}\"\ntimeout-s = 2\nmessage-id = \"/id\"\n\
             body.json = {{ to = \"{{to}}\", text = \"{{text}}\", ref = \"{{reference}}\" }}\n\
             success = {{ status = [202] }}\nretryable = {{ status = [429] }}\npermanent = {{ status = [400] }}
"
    )
}

fn answer(mut stream: TcpStream, mood: &Mutex<Mood>, taken: &Mutex<Vec<String>>) {
    let Some(body) = body(&mut stream) else { return };
    taken.lock().unwrap().push(body.clone());
    let mood = *mood.lock().unwrap();
    let id;
    let (status, text) = match mood {
        Mood::Takes => ("202 Accepted", "{\"id\":\"SIM-1\"}"),
        Mood::Repeats => {
            let sent: serde_json::Value = serde_json::from_str(&body).unwrap();
            id = format!("{{\"id\":{}}}", sent["to"]);
            ("202 Accepted", &*id)
        }
        Mood::Calls(it) => {
            id = format!("{{\"id\":\"{it}\"}}");
            ("202 Accepted", &*id)
        }
        Mood::Busy => ("429 Too Many Requests", "{}"),
        Mood::Refuses => ("400 Bad Request", "{}"),
        Mood::Nonsense => ("200 OK", "<html>Welcome</html>"),
        Mood::Hangs => return,
        Mood::Silent => {
            // Until the other side gives up.
            let _ = stream.read(&mut [0; 1]);
            return;
        }
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}",
        text.len()
    );
}

fn body(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).ok()?;
        if read == 0 {
            return None;
        }
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
            })?;
            if body.len() >= length {
                return Some(body.to_owned());
            }
        }
    }
}
