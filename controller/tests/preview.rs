//! `monitored-api preview` as a program: the file that it writes, and what it says of each option that is wrong.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Command, Output},
    thread,
};

const ORDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../manifests/examples/orders.yaml");

fn preview(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitored-api"));
    command.arg("preview").args(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The files of a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The address of a server that gives this answer to every request.
fn server(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut request = [0; 8192];
            // A client that leaves ends its own connection alone.
            let _ = connection.read(&mut request);
            let _ = connection.write_all(answer.as_bytes());
        }
    });
    address
}

#[test]
fn the_page_goes_to_standard_output_or_into_a_file_and_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("preview.html");
    let name = file.to_str().unwrap();
    let printed = preview(&["-f", ORDERS]);
    assert!(printed.status.success(), "{}", told(&printed));
    assert!(printed.stdout.starts_with(b"<!DOCTYPE html>"));
    for _ in 0..2 {
        let written = preview(&["-f", ORDERS, "-o", name]);
        assert!(written.status.success(), "{}", told(&written));
        assert_eq!(fs::read(&file).unwrap(), printed.stdout);
    }
    assert_eq!(files(folder.path()), ["preview.html"]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of options, each wrong once")]
fn each_option_that_is_wrong_is_told_in_one_line_that_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("notes.html"), "<p>mine").unwrap();
    fs::write(at("empty.token"), "\n").unwrap();
    fs::write(at("two.token"), "one two").unwrap();
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let html = server("HTTP/1.1 200 OK\r\ncontent-length: 6\r\nconnection: close\r\n\r\n<html>");
    let moved =
        server("HTTP/1.1 302 Found\r\nlocation: http://192.0.2.1/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let refused = server("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    let page = at("page.html");
    let cases: &[(&[&str], &str)] = &[
        (&["-f", "/does/not/exist"], "/does/not/exist"),
        (&["-f", ORDERS, "--metrics", "/does/not/exist"], "/does/not/exist"),
        (&["-f", ORDERS, "-o", &at("")], "name a file in it"),
        (
            &["-f", ORDERS, "-o", &at("no/folder/p.html")],
            "make it, or name a file",
        ),
        (
            &["-f", ORDERS, "-o", &at("notes.html")],
            "is no page of preview: remove it",
        ),
        (&["-f", ORDERS, "-o", "/dev/full"], "is no regular file: name another"),
        (
            &["-f", ORDERS, "-o", "/proc/preview.html"],
            "free some space there, or name another file",
        ),
        (
            &["-f", ORDERS, "-o", &page, "--prometheus", &closed],
            "use the address of a Prometheus that runs",
        ),
        (
            &["-f", ORDERS, "-o", &page, "--prometheus", &html],
            "is not that of Prometheus's HTTP API",
        ),
        (
            &["-f", ORDERS, "-o", &page, "--prometheus", &moved],
            "it redirects to another address",
        ),
        (
            &["-f", ORDERS, "-o", &page, "--prometheus", &refused],
            "--prometheus-bearer-token-file",
        ),
        (
            &["-f", ORDERS, "--prometheus", "prometheus:9090"],
            "is not a valid address of a Prometheus",
        ),
        (
            &["-f", ORDERS, "--prometheus", &closed, "--range", "1m"],
            "use 5m to 31d",
        ),
        (
            &["-f", ORDERS, "--prometheus", &closed, "--range", "soon"],
            "use 5m to 31d",
        ),
        (&["-f", ORDERS, "--range", "1h"], "--prometheus"),
        (&["-f", ORDERS, "--prometheus-bearer-token-file", &page], "--prometheus"),
        (
            &[
                "-f",
                ORDERS,
                "--prometheus",
                &closed,
                "--prometheus-bearer-token-file",
                &at("none"),
            ],
            "use a file with nothing but the token",
        ),
        (
            &[
                "-f",
                ORDERS,
                "--prometheus",
                &closed,
                "--prometheus-bearer-token-file",
                &at("empty.token"),
            ],
            "use a file with nothing but the token",
        ),
        (
            &[
                "-f",
                ORDERS,
                "--prometheus",
                &closed,
                "--prometheus-bearer-token-file",
                &at("two.token"),
            ],
            "use a file with nothing but the token",
        ),
        (
            &["-f", ORDERS, "--runbook-base-url", "http://wiki"],
            "--runbook-base-url",
        ),
        (&[], "--file"),
    ];
    for (arguments, expected) in cases {
        let output = preview(arguments);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(expected), "{arguments:?}: {told}");
        assert!(
            output.stdout.is_empty() && !told.contains("panicked"),
            "{arguments:?}: {told}"
        );
        assert_eq!(
            files(folder.path()),
            ["empty.token", "notes.html", "two.token"],
            "{arguments:?}"
        );
        assert_eq!(fs::read(at("notes.html")).unwrap(), b"<p>mine");
    }
}

#[test]
fn a_mistake_in_one_monitored_api_leaves_an_older_page_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("preview.html");
    let name = page.to_str().unwrap();
    assert!(preview(&["-f", ORDERS, "-o", name]).status.success());
    let older = fs::read(&page).unwrap();
    let wrong = folder.path().join("wrong.yaml");
    let text = fs::read_to_string(ORDERS).unwrap().replace("0.02", "200");
    fs::write(&wrong, text).unwrap();
    let output = preview(&["-f", ORDERS, "-f", wrong.to_str().unwrap(), "-o", name]);
    let told = told(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains("threshold") && told.contains("no page is written"),
        "{told}"
    );
    assert_eq!(fs::read(&page).unwrap(), older);
}
