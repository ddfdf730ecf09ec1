//! `cargo xtask bench http`: builds `tests/bench/http` and prints its figures as tables.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};
use integration_tests::workspace::{cargo, read, run, target};

/// The layers, by the names that the program knows. The others are compared with the first.
const LAYERS: [&str; 5] = ["bare", "empty", "http-instrument", "prometheus", "axum-prometheus"];
/// Requests of the two runs whose difference is counted.
const FEW: u64 = 1_280;
const MANY: u64 = 7_680;

/// What valgrind counts of a run.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    instructions: f64,
    allocations: f64,
    bytes: f64,
}

pub(crate) fn measure() -> Result<()> {
    let program = build()?;
    let times = times(&program)?;
    let counted = LAYERS.map(|layer| counts(&program, layer));
    say("A request of the mix (20 routes; errors, unmatched paths and bodies among it), over the bare router:");
    say(&format!(
        "  {:<18}{:>14}{:>14}{:>14}{:>10}",
        "layer", "instructions", "allocations", "bytes", "ns"
    ));
    let mut bare = None;
    for (layer, counts) in LAYERS.iter().zip(counted) {
        let counts = counts?;
        let time = times.get(*layer).copied().context("a layer was not timed")?;
        let (base, base_time) = *bare.get_or_insert((counts, time));
        say(&format!(
            "  {layer:<18}{:>14.0}{:>14.1}{:>14.0}{:>10.0}",
            counts.instructions - base.instructions,
            counts.allocations - base.allocations,
            counts.bytes - base.bytes,
            time - base_time
        ));
    }
    if let Some((base, time)) = bare {
        say(&format!(
            "  (the bare router itself: {:.0} instructions, {:.1} allocations, {:.0} bytes, {time:.0} ns)",
            base.instructions, base.allocations, base.bytes
        ));
    }
    say("\nA page, nanoseconds for each series:");
    say(&format!(
        "  {:>8}{:>16}{:>20}",
        "series", "http-instrument", "exposition::Writer"
    ));
    for line in read(Command::new(&program).arg("encode"))?.lines() {
        let columns: Vec<_> = line.split(' ').collect();
        let [series, own, general] = columns[..] else {
            bail!("{line:?} is not three numbers");
        };
        say(&format!("  {series:>8}{own:>16}{general:>20}"));
    }
    Ok(())
}

/// Builds the program with a libc that valgrind can look into, and finds it.
fn build() -> Result<PathBuf> {
    let target = target()?.join("bench-http");
    run(cargo()?
        .args([
            "build",
            "--release",
            "--locked",
            "--manifest-path",
            "tests/bench/http/Cargo.toml",
            "--target-dir",
        ])
        .arg(&target)
        .env("RUSTFLAGS", "-C target-feature=-crt-static"))?;
    let host = read(Command::new("rustc").args(["--print", "host-tuple"]))?;
    Ok(target.join(host.trim()).join("release/http-bench"))
}

/// Nanoseconds a request, by layer.
fn times(program: &Path) -> Result<BTreeMap<String, f64>> {
    let printed = read(Command::new(program).arg("time"))?;
    let time = |line: &str| {
        let (layer, nanoseconds) = line.split_once(' ').context("no time")?;
        Ok((layer.to_owned(), nanoseconds.parse()?))
    };
    printed.lines().map(time).collect()
}

/// What a request costs: the difference of two runs, so that the start does not count.
fn counts(program: &Path, layer: &str) -> Result<Counts> {
    let (few, many) = (count(program, layer, FEW)?, count(program, layer, MANY)?);
    let requests = (MANY - FEW) as f64;
    Ok(Counts {
        instructions: (many.instructions - few.instructions) / requests,
        allocations: (many.allocations - few.allocations) / requests,
        bytes: (many.bytes - few.bytes) / requests,
    })
}

fn count(program: &Path, layer: &str, requests: u64) -> Result<Counts> {
    let callgrind = valgrind(
        &["--tool=callgrind", "--callgrind-out-file=/dev/null"],
        program,
        layer,
        requests,
    )?;
    let memcheck = valgrind(&["--tool=memcheck"], program, layer, requests)?;
    let heap = after(&memcheck, "total heap usage: ").context("valgrind tells no heap usage")?;
    Ok(Counts {
        instructions: number(after(&callgrind, "Collected : "))?,
        allocations: number(Some(heap))?,
        bytes: number(heap.split("frees, ").nth(1))?,
    })
}

fn valgrind(arguments: &[&str], program: &Path, layer: &str, requests: u64) -> Result<String> {
    let output = Command::new("valgrind")
        .args(arguments)
        .arg(program)
        .args(["count", layer, &requests.to_string()])
        .stdin(Stdio::null())
        .output()
        .context("valgrind cannot be started: install it, for example by apt-get install valgrind")?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        bail!("{layer} failed under valgrind:\n{text}");
    }
    Ok(text)
}

fn after<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    text.split(word).nth(1)
}

/// The number that a text begins with, as valgrind writes it: `1,234`.
fn number(text: Option<&str>) -> Result<f64> {
    let digits = |letter: &char| letter.is_ascii_digit() || *letter == ',';
    let text: String = text.unwrap_or_default().chars().take_while(digits).collect();
    let number = text.replace(',', "").parse();
    number.with_context(|| format!("{text:?} is not a number"))
}

#[expect(clippy::print_stdout, reason = "the command's output")]
fn say(line: &str) {
    println!("{line}");
}
