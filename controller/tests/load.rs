//! `load`: every option wrong once, limits as exit codes, reports that are written whole or not at all.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A server that answers every request with a status, until the test ends.
fn serve(status: &'static str) -> SocketAddr {
    serve_after(status, Duration::ZERO, Arc::default())
}

/// The same after a time; it counts the requests.
fn serve_after(status: &'static str, time: Duration, count: Arc<AtomicUsize>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let count = Arc::clone(&count);
            thread::spawn(move || {
                let mut writer = stream.try_clone().unwrap();
                for line in BufReader::new(stream).lines() {
                    // An empty line ends a request without a body.
                    let ended = line.is_ok_and(|line| line.is_empty());
                    count.fetch_add(usize::from(ended), Ordering::Relaxed);
                    if ended {
                        thread::sleep(time);
                    }
                    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\n\r\nok");
                    if ended && writer.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

fn load(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitored-api"));
    command.arg("load").args(arguments).output().unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The options that make a short test of a server, and further ones.
fn short<'a>(url: &'a str, further: &[&'a str]) -> Vec<&'a str> {
    let mut all = vec!["--url", url, "--rps", "100", "--duration", "200ms", "--warmup", "0s"];
    all.extend(further);
    all
}

/// Options that can't be used, and what is told. Words in capitals stand for addresses and files that the test makes.
const WRONG: &[(&[&str], &str)] = &[
    (&["--rps", "10"], "--url"),
    (&["--url", "URL"], "--rps"),
    (
        &["--url", "localhost:8080", "--rps", "10"],
        "use http:// or https:// with a host",
    ),
    (
        &["--url", "0=http://localhost/", "--rps", "10"],
        "use a whole number from 1 to 1000",
    ),
    (&["--url", "http://me:secret@localhost/", "--rps", "10"], "use --header"),
    (&["--url", "URL", "--rps", "0"], "use requests a second"),
    (&["--url", "URL", "--rps", "10,fast"], "use requests a second"),
    (
        &["--url", "URL", "--rps", "1000000", "--duration", "2h"],
        "use a lower rate or a shorter duration",
    ),
    (
        &["--url", "URL", "--rps", "1,1", "--duration", "13h"],
        "use shorter or fewer steps",
    ),
    (
        &["--url", "URL", "--rps", "10", "--requests", "5"],
        "cannot be used with",
    ),
    (&["--url", "URL", "--requests", "0"], "1..=1000000000"),
    (
        &["--url", "URL", "--requests", "5", "--concurrency", "0"],
        "use a whole number from 1 to 20000",
    ),
    (
        &["--url", "URL", "--rps", "10", "--concurrency", "2"],
        "cannot be used with",
    ),
    (
        &["--url", "URL", "--requests", "5", "--connections", "2"],
        "cannot be used with",
    ),
    (
        &["--url", "URL", "--requests", "5", "--warmup", "1s"],
        "cannot be used with",
    ),
    (
        &["--url", "URL", "--requests", "5", "--arrivals", "poisson"],
        "cannot be used with",
    ),
    (
        &["--url", "URL", "--rps", "10", "--duration", "1s", "--duration", "0s"],
        "cannot be used multiple times",
    ),
    (
        &["--url", "URL", "--rps", "10", "--duration", "0s"],
        "use more than zero",
    ),
    (
        &["--url", "URL", "--rps", "10", "--duration", "10"],
        "use numbers with units",
    ),
    (&["--url", "URL", "--rps", "10", "--duration", "25h"], "use at most 24h"),
    (
        &["--url", "URL", "--rps", "10", "--warmup", "x"],
        "use numbers with units",
    ),
    (
        &["--url", "URL", "--rps", "10", "--arrivals", "bursts"],
        "possible values: constant, poisson",
    ),
    (
        &["--url", "URL", "--rps", "10", "--connections", "30000"],
        "use a whole number from 1 to 20000",
    ),
    (&["--url", "URL", "--rps", "10", "--timeout", "11m"], "use at most 10m"),
    (
        &["--url", "URL", "--rps", "10", "--method", "get"],
        "use a method of HTTP in capitals",
    ),
    (
        &["--url", "URL", "--rps", "10", "--header", "Accept"],
        "use a name, a colon and a value",
    ),
    (
        &["--url", "URL", "--rps", "10", "--header", "Content-Length: 1"],
        "leave it out",
    ),
    (
        &["--url", "URL", "--rps", "10", "--body", "a", "--body-file", "b"],
        "cannot be used with",
    ),
    (
        &["--url", "URL", "--rps", "10", "--body-file", "/does/not/exist"],
        "--body-file: /does/not/exist: No such file",
    ),
    (
        &["--url", "URL", "--rps", "10", "--body-file", "BIG"],
        "use a smaller body",
    ),
    (
        &["--url", "URL", "--rps", "10", "--expect-status", "2x"],
        "use numbers from 100 to 599 and classes",
    ),
    (
        &["--url", "URL", "--rps", "10", "--max-error-ratio", "5%"],
        "use a share from 0 to 1",
    ),
    (
        &["--url", "URL", "--rps", "10", "--max-p99", "fast"],
        "use numbers with units",
    ),
    (
        &["--url", "URL", "--rps", "10", "--cacert", "a", "--insecure"],
        "cannot be used with",
    ),
    (
        &["--url", "SECURE", "--rps", "10", "--cacert", "/does/not/exist"],
        "--cacert: /does/not/exist",
    ),
    (
        &["--url", "URL", "--rps", "10", "--report", "TEXT"],
        "use a name that ends with .html or .json",
    ),
    (
        &["--url", "URL", "--rps", "10", "--report", "ABSENT"],
        "use a directory that exists and that you may write",
    ),
    (
        &["--url", "URL", "--rps", "10", "--report", "EXISTING"],
        "use another name, or replace it by --force",
    ),
    (
        &["--url", "URL", "--rps", "10", "--report", "TWICE", "--report", "TWICE"],
        "name each report once",
    ),
    (&["--url", "URL", "--rps", "10", "--force"], "--report"),
    (
        &["--url", "URL", "--rps", "10", "-o", "xml"],
        "possible values: table, json, yaml",
    ),
    (
        &["--url", "NOBODY", "--rps", "10", "--report", "TWICE"],
        "start the service, or correct the address",
    ),
];

#[test]
fn every_option_that_is_wrong_is_told_in_one_line_with_what_to_write() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let existing = file("old.html");
    fs::write(&existing, "mine").unwrap();
    fs::File::create(file("big")).unwrap().set_len((16 << 20) + 1).unwrap();
    let address = serve("200 OK");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let values = [
        ("URL", format!("http://{address}/")),
        ("SECURE", format!("https://{address}/")),
        ("NOBODY", format!("http://{free}/")),
        ("EXISTING", existing.clone()),
        ("ABSENT", file("absent/new.html")),
        ("TEXT", file("report.txt")),
        ("TWICE", file("twice.json")),
        ("BIG", file("big")),
    ];
    for (arguments, expected) in WRONG {
        let value = |word: &&'static str| {
            let known = values.iter().find(|(name, _)| name == word);
            known.map_or(*word, |(_, value)| value.as_str())
        };
        let arguments: Vec<_> = arguments.iter().map(value).collect();
        let output = load(&arguments);
        let told = told(&output);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(expected), "{arguments:?}: {told}");
        assert!(output.stdout.is_empty(), "{arguments:?}: {told}");
        // What follows the first line is clap's own help.
        let own = told.starts_with("monitored-api: ");
        assert!(!own || told.lines().count() == 1, "{arguments:?}: {told}");
    }
    let mut left: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["big", "old.html"]);
    assert_eq!(fs::read_to_string(&existing).unwrap(), "mine");
}

#[test]
fn reports_are_written_and_hold_what_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["report.html", "report.json"].map(|name| folder.path().join(name).to_str().unwrap().to_owned());
    let url = format!("http://{}/", serve("200 OK"));
    let mut arguments = short(&url, &["-o", "json", "--report", &paths[0], "--report", &paths[1]]);
    let output = load(&arguments);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let step = &report["steps"][0];
    assert_eq!(report["mode"], "open-loop");
    assert_eq!((&step["scheduled"], &step["statuses"]["200"]), (&20.into(), &20.into()));
    assert!(step["latency"]["p99Seconds"].as_f64().unwrap() > 0.0);
    let written: serde_json::Value = serde_json::from_str(&fs::read_to_string(&paths[1]).unwrap()).unwrap();
    assert_eq!(written, report);
    assert!(fs::read_to_string(&paths[0]).unwrap().ends_with("</html>"));
    // A second test replaces them only if asked to.
    assert_eq!(load(&arguments).status.code(), Some(2));
    arguments.push("--force");
    assert_eq!(load(&arguments).status.code(), Some(0));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
}

#[test]
fn limits_that_are_exceeded_end_with_exit_code_one_and_a_sentence() {
    let [fine, failing] = ["200 OK", "503 Service Unavailable"].map(|status| format!("http://{}/", serve(status)));
    let slow = format!(
        "http://{}/",
        serve_after("200 OK", Duration::from_millis(50), Arc::default())
    );
    let generous = ["--max-error-ratio", "0", "--max-p99", "10s"];
    let output = load(&short(&fine, &generous));
    // What a busy machine makes of the generator is said.
    let distrusted = String::from_utf8_lossy(&output.stdout).contains("NOT TRUSTWORTHY");
    assert_eq!(output.status.code(), Some(i32::from(distrusted)), "{}", told(&output));
    let output = load(&short(&failing, &generous));
    assert_eq!(output.status.code(), Some(1));
    assert!(
        told(&output).contains("--max-error-ratio: 1 of the requests failed, the limit is 0"),
        "{}",
        told(&output)
    );
    let output = load(&[
        "--url",
        &fine,
        "--requests",
        "20",
        "--expect-status",
        "201",
        "--max-error-ratio",
        "0.5",
        "-o",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let slow = load(&["--url", &slow, "--requests", "2", "--max-p99", "10ms"]);
    assert_eq!(slow.status.code(), Some(1));
    assert!(told(&slow).contains("--max-p99: p99 is"), "{}", told(&slow));
}

#[test]
fn a_closed_loop_is_marked_as_one() {
    let url = format!("http://{}/", serve("200 OK"));
    let output = load(&["--url", &url, "--requests", "50", "--concurrency", "2"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text.starts_with("CLOSED LOOP") && text.contains("50 × status 200"),
        "{text}"
    );
}

#[test]
fn a_report_that_cannot_be_put_in_its_place_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let url = format!("http://{}/", serve("200 OK"));
    let mut arguments = vec![
        "--url",
        &url,
        "--rps",
        "20",
        "--duration",
        "2s",
        "--warmup",
        "0s",
        "--report",
    ];
    let name = path.to_str().unwrap();
    arguments.push(name);
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitored-api"));
    let child = command
        .arg("load")
        .args(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = child.spawn().unwrap();
    // Somebody else writes a file of that name while the test runs.
    wait_until(|| fs::read_dir(&folder).unwrap().count() == 1);
    fs::write(&path, "theirs").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("not written"), "{}", told(&output));
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn an_interrupted_test_tells_what_it_measured_and_writes_its_report() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.json");
    let count = Arc::<AtomicUsize>::default();
    let url = format!("http://{}/", serve_after("200 OK", Duration::ZERO, Arc::clone(&count)));
    let mut command = Command::new(env!("CARGO_BIN_EXE_monitored-api"));
    command.args([
        "load",
        "--url",
        &url,
        "--rps",
        "50,60",
        "--duration",
        "10m",
        "--warmup",
        "0s",
        "--report",
    ]);
    let child = command
        .arg(&path)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(|| count.load(Ordering::Relaxed) > 5);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    let report: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(report["endedEarly"], true);
    assert_eq!(report["steps"].as_array().unwrap().len(), 1, "{report}");
    assert!(report["steps"][0]["answered"].as_u64().unwrap() > 0);
}

fn wait_until(mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited for a minute");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_folder_that_takes_no_file_is_told_before_the_test() {
    let url = format!("http://{}/", serve("200 OK"));
    let output = load(&short(&url, &["--report", "/proc/report.html"]));
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("can't write in /proc"), "{}", told(&output));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_full_disk_is_told_and_half_a_report_is_not_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let url = format!("http://{}/", serve("200 OK"));
    // A disk of one page, that nobody else sees: the page in HTML has more.
    let script = format!(
        "mount -t tmpfs -o size=4k none {path} && {{ {} load --url {url} --rps 50 --duration 200ms --report {path}/report.html; \
         code=$?; ls -A {path}; exit $code; }}",
        env!("CARGO_BIN_EXE_monitored-api")
    );
    let mut command = Command::new("unshare");
    let output = command
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .output()
        .expect("unshare (Debian: util-linux)");
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(
        told(&output).contains("report.html: not written: No space left on device"),
        "{}",
        told(&output)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    // The result is still told, and `ls` finds nothing.
    assert!(text.contains("10 × status 200") && !text.contains("report"), "{text}");
}
