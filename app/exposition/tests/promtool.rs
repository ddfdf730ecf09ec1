//! The reader against the real promtool: `cargo test -p exposition --features promtool --test promtool`, with the path of
//! promtool in `PROMTOOL`.
#![cfg(feature = "promtool")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests fail loudly")]

use std::{
    env,
    io::Write as _,
    process::{Command, Stdio},
};

use exposition::{Format, Limits, read};

/// Whether promtool can read a page. It also finds fault with names, which is another exit code.
fn promtool_reads(page: &str) -> bool {
    let program = env::var_os("PROMTOOL").expect("PROMTOOL must hold the path of promtool");
    let mut promtool = Command::new(program)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(page.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    !String::from_utf8_lossy(&output.stderr).contains("parsing error")
}

/// Quoted UTF-8 names are not among the lines: a Prometheus server takes them, promtool's check of metrics does not.
#[test]
fn the_reader_accepts_and_refuses_the_same_lines_as_promtool() {
    for line in [
        "a 1",
        "a\t 1",
        "a {b=\"c\"} 1",
        "a{b=\"c\",} 1",
        "a{} 1",
        "a{ b = \"c\" } 1 5",
        "a 1e5",
        "a +Inf",
        "a nan",
        "a 0x10",
        "a 1_000",
        "a 1e999",
        "a +nan",
        "a 1,5",
        "a 1 2",
        "a 1 2.5",
        "a 1 2 3",
        "a",
        "1a 1",
        "a-b 1",
        "a{b} 1",
        "a{b=c} 1",
        "a{b=\"c} 1",
        "a{b=\"c\" d=\"e\"} 1",
        "a{b=\"c\",b=\"d\"} 1",
        "a{1b=\"c\"} 1",
        "a{b=\"\\\\ \\n \\\"\"} 1",
        "a{__name__=\"b\"} 1",
        "{} 1",
        "# TYPE a counter",
        "# TYPE a\tcounter",
        "# TYPE a number",
        "# HELP a some \\\\ text",
        "# HELP",
        "#HELP a",
        "# anything",
        "",
    ] {
        let page = format!("{line}\n");
        let reads = read(page.as_bytes(), Format::Text, &Limits::default());
        assert_eq!(reads.is_ok(), promtool_reads(&page), "{line:?}: {reads:?}");
    }
}
