//! The protocol between drivers, supervisor and init: one request for each connection of a unix socket, one line of JSON in
//! each direction.
//! Unix sockets work across network namespaces; an open TCP connection is passed as a file descriptor.

use std::io::{BufRead, BufReader, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A long-lived program of the test bed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Program {
    /// Name of the component: its log and its row in the status.
    pub name: String,
    /// The executable.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Additions to its environment.
    pub env: Vec<(String, String)>,
}

/// The state of a component.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ComponentStatus {
    /// Its name.
    pub name: String,
    /// Its process id inside the namespace, if it runs.
    pub pid: Option<i32>,
    /// How it ended, if it did.
    pub ended: Option<String>,
    /// Whether it was told to end.
    pub stopped: bool,
    /// How often it was started.
    pub starts: u32,
}

/// The result of a finished command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Finished {
    /// Exit code; 128 plus the signal if a signal ended it.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Requests to the init inside the namespaces.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum InnerRequest {
    /// Start a component.
    Spawn(Program),
    /// Start a component again as it was started last.
    Respawn { name: String },
    /// Send a signal to a component.
    Signal { name: String, signal: i32 },
    /// Run a command to its end.
    Run { program: PathBuf, args: Vec<String> },
    /// Open a TCP connection; the answer carries it.
    Dial { target: String },
    /// List the components.
    Status,
}

/// Requests to the supervisor outside.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum OuterRequest {
    /// Listen on 127.0.0.1 (`port` 0: any) and forward to `target` inside.
    Forward { port: u16, target: String },
    /// List the forwarders.
    Forwards,
    /// Keep running when the driver ends.
    Detach,
    /// End everything.
    Shutdown,
}

/// One forwarder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Forward {
    /// Port on 127.0.0.1 of the host.
    pub port: u16,
    /// Address inside.
    pub target: String,
}

#[derive(Debug, Serialize, Deserialize)]
enum Reply {
    Done(serde_json::Value),
    Failed(String),
}

/// Reads the request of a connection.
pub(crate) fn read_request<T: DeserializeOwned>(stream: &UnixStream) -> Result<T> {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

/// Answers a connection.
pub(crate) fn write_reply(mut stream: &UnixStream, result: Result<serde_json::Value>) -> Result<()> {
    let reply = match result {
        Ok(value) => Reply::Done(value),
        Err(error) => Reply::Failed(format!("{error:#}")),
    };
    let mut line = serde_json::to_string(&reply)?;
    line.push('\n');
    Ok(stream.write_all(line.as_bytes())?)
}

/// Asks the server at `socket` and waits for the answer.
pub(crate) fn ask<T: DeserializeOwned>(socket: &Path, request: &impl Serialize, limit: Duration) -> Result<T> {
    let stream = send(socket, request, limit)?;
    let mut line = String::new();
    BufReader::new(&stream)
        .read_line(&mut line)
        .context("the test bed did not answer")?;
    match serde_json::from_str(&line).context("the test bed ended before it answered")? {
        Reply::Done(value) => Ok(serde_json::from_value(value)?),
        Reply::Failed(message) => Err(anyhow!(message)),
    }
}

fn send(socket: &Path, request: &impl Serialize, limit: Duration) -> Result<UnixStream> {
    let mut stream = UnixStream::connect(socket).with_context(|| format!("connect to {}", socket.display()))?;
    stream.set_read_timeout(Some(limit))?;
    let mut line = serde_json::to_string(request)?;
    line.push('\n');
    stream.write_all(line.as_bytes())?;
    Ok(stream)
}

/// Opens a TCP connection to `target` inside the namespaces of the init at `socket`.
pub(crate) fn dial(socket: &Path, target: &str) -> Result<TcpStream> {
    let request = InnerRequest::Dial {
        target: target.to_owned(),
    };
    let mut stream = send(socket, &request, Duration::from_secs(15))?;
    let mut byte = [0_u8; 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    recvmsg(
        &stream,
        &mut [IoSliceMut::new(&mut byte)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    let descriptor = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    match descriptor {
        Some(descriptor) => Ok(TcpStream::from(descriptor)),
        None => {
            let mut message = String::new();
            stream.read_to_string(&mut message)?;
            bail!("connect to {target} inside the test bed: {}", message.trim())
        }
    }
}

/// Answers a [`InnerRequest::Dial`].
pub(crate) fn write_dialed(mut stream: &UnixStream, result: Result<TcpStream>) -> Result<()> {
    match result {
        Ok(connection) => {
            let connection = OwnedFd::from(connection);
            let descriptors = [connection.as_fd()];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            if !ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)) {
                bail!("the message has no room for a file descriptor");
            }
            sendmsg(stream, &[IoSlice::new(b"+")], &mut ancillary, SendFlags::empty())?;
            Ok(())
        }
        Err(error) => Ok(stream.write_all(format!("-{error:#}").as_bytes())?),
    }
}
