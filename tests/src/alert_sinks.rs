//! Those who are told of alerts: a webhook and a mail server that keep what they are sent.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use anyhow::{Context as _, Result};
use serde_json::Value;

/// What was received so far. Kept until the end.
type Received<T> = Arc<Mutex<Vec<T>>>;

fn all<T: Clone>(received: &Received<T>) -> Vec<T> {
    received.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn keep<T>(received: &Received<T>, one: T) {
    received.lock().unwrap_or_else(PoisonError::into_inner).push(one);
}

/// Hands each connection of a free port of this address to a thread of its own. The threads end with the process.
fn serve(address: Ipv4Addr, answer: impl Fn(TcpStream) -> Result<()> + Send + Sync + 'static) -> Result<SocketAddr> {
    let listener = TcpListener::bind((address, 0)).context("listen for alerts")?;
    let address = listener.local_addr()?;
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            // Whoever breaks off tries again.
            thread::spawn(move || answer(connection));
        }
    });
    Ok(address)
}

/// A webhook.
#[derive(Debug)]
pub struct WebhookSink {
    /// Where it listens.
    pub address: SocketAddr,
    received: Received<Value>,
}

impl WebhookSink {
    /// Starts it on a free port of this address.
    ///
    /// # Errors
    /// When there is none.
    pub fn start(address: Ipv4Addr) -> Result<Self> {
        let received = Received::default();
        let kept = Arc::clone(&received);
        let address = serve(address, move |connection| {
            if let Some(body) = read_post(&connection)? {
                keep(&kept, serde_json::from_slice(&body)?);
            }
            let mut connection = connection;
            connection.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?;
            Ok(())
        })?;
        Ok(Self { address, received })
    }

    /// The bodies that it was sent.
    #[must_use]
    pub fn received(&self) -> Vec<Value> {
        all(&self.received)
    }
}

/// The body of a request; `None`: it has none.
fn read_post(connection: &TcpStream) -> Result<Option<Vec<u8>>> {
    let mut reader = BufReader::new(connection);
    let mut length = None;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok();
        }
    }
    let Some(length) = length else { return Ok(None) };
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(body))
}

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// What followed `AUTH`; empty if the sender did not say who it is.
    pub auth: String,
    /// The recipients.
    pub to: Vec<String>,
    /// Head and body.
    pub text: String,
}

/// A mail server without TLS that takes every mail.
#[derive(Debug)]
pub struct SmtpSink {
    /// Where it listens.
    pub address: SocketAddr,
    received: Received<Mail>,
}

impl SmtpSink {
    /// Starts it on a free port of this address.
    ///
    /// # Errors
    /// When there is none.
    pub fn start(address: Ipv4Addr) -> Result<Self> {
        let received = Received::default();
        let kept = Arc::clone(&received);
        let address = serve(address, move |connection| converse(&connection, &kept))?;
        Ok(Self { address, received })
    }

    /// The mails that it was sent.
    #[must_use]
    pub fn received(&self) -> Vec<Mail> {
        all(&self.received)
    }
}

/// One connection of RFC 5321.
fn converse(connection: &TcpStream, kept: &Received<Mail>) -> Result<()> {
    let mut to = connection;
    let mut lines = BufReader::new(connection).lines();
    let mut mail = Mail {
        auth: String::new(),
        to: Vec::new(),
        text: String::new(),
    };
    to.write_all(b"220 sink\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let answer: &[u8] = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => b"250-sink\r\n250 AUTH PLAIN\r\n",
            "AUTH" => {
                rest.clone_into(&mut mail.auth);
                b"235 fine\r\n"
            }
            "RCPT" => {
                mail.to.push(rest.to_owned());
                b"250 fine\r\n"
            }
            "DATA" => {
                to.write_all(b"354 go on\r\n")?;
                for line in lines.by_ref() {
                    let line = line?;
                    if line == "." {
                        break;
                    }
                    mail.text.push_str(&line);
                    mail.text.push('\n');
                }
                keep(kept, mail.clone());
                b"250 kept\r\n"
            }
            "QUIT" => {
                to.write_all(b"221 bye\r\n")?;
                return Ok(());
            }
            _ => b"250 fine\r\n",
        };
        to.write_all(answer)?;
    }
    Ok(())
}
