//! Container images from static binaries, without a registry or a container tool: docker-archive tars of one layer.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::tools::hex;

/// What goes into an image.
#[derive(Debug)]
pub struct ImageSpec<'a> {
    /// Reference, for example `localhost/coredns:1.15.0`.
    pub reference: &'a str,
    /// The program to run, as a path in the image, and its arguments.
    pub entrypoint: &'a [&'a str],
    /// Variables beside PATH.
    pub env: &'a [(&'a str, &'a str)],
    /// The user as a number, so that the kubelet can check `runAsNonRoot`.
    pub user: u32,
    /// Files: path on this machine, absolute path in the image.
    pub files: Vec<(PathBuf, &'a str)>,
}

/// Writes the image as a docker-archive to `out`. The same input gives the same bytes.
pub fn write_image(spec: &ImageSpec<'_>, out: &Path) -> Result<()> {
    let parent = out.parent().context("the image's path has no parent directory")?;
    let mut layer = tempfile::NamedTempFile::new_in(parent)?;
    let digest = write_layer(spec, layer.as_file_mut())?;
    let variables = spec.env.iter().map(|(name, value)| format!("{name}={value}"));
    let variables: Vec<String> = std::iter::once("PATH=/bin:/usr/bin".to_owned())
        .chain(variables)
        .collect();
    let config = json!({
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "Entrypoint": spec.entrypoint,
            "Env": variables,
            "User": spec.user.to_string(),
            "WorkingDir": "/",
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
        "history": [{ "created_by": "testbed" }],
    })
    .to_string();
    let config_name = format!("{}.json", hex(&Sha256::digest(&config)));
    let layer_name = format!("{digest}/layer.tar");
    let manifest = json!([{ "Config": config_name, "RepoTags": [spec.reference], "Layers": [layer_name] }]).to_string();

    let mut archive = tar::Builder::new(io::BufWriter::new(File::create(out)?));
    append(
        &mut archive,
        &config_name,
        0o644,
        config.len() as u64,
        config.as_bytes(),
    )?;
    let size = layer.as_file().metadata()?.len();
    append(&mut archive, &layer_name, 0o644, size, layer.reopen()?)?;
    append(
        &mut archive,
        "manifest.json",
        0o644,
        manifest.len() as u64,
        manifest.as_bytes(),
    )?;
    archive.into_inner()?.flush()?;
    Ok(())
}

fn write_layer(spec: &ImageSpec<'_>, file: &mut File) -> Result<String> {
    let mut layer = tar::Builder::new(Hashing {
        inner: io::BufWriter::new(file),
        hash: Sha256::new(),
    });
    let mut directories = vec!["etc".to_owned(), "tmp".to_owned()];
    for (_, path) in &spec.files {
        let mut parent = Path::new(path.trim_start_matches('/'));
        while let Some(next) = parent.parent().filter(|p| !p.as_os_str().is_empty()) {
            directories.push(next.to_string_lossy().into_owned());
            parent = next;
        }
    }
    directories.sort();
    directories.dedup();
    for directory in &directories {
        let mut header = header(if directory == "tmp" { 0o1777 } else { 0o755 }, 0);
        header.set_entry_type(tar::EntryType::Directory);
        layer.append_data(&mut header, format!("{directory}/"), io::empty())?;
    }
    let passwd = "root:x:0:0::/:/\nnobody:x:65534:65534::/:/\n";
    append(&mut layer, "etc/passwd", 0o644, passwd.len() as u64, passwd.as_bytes())?;
    let group = "root:x:0:\nnobody:x:65534:\n";
    append(&mut layer, "etc/group", 0o644, group.len() as u64, group.as_bytes())?;
    for (source, path) in &spec.files {
        let binary = File::open(source).with_context(|| format!("open {}", source.display()))?;
        append(
            &mut layer,
            path.trim_start_matches('/'),
            0o755,
            binary.metadata()?.len(),
            binary,
        )?;
    }
    let mut hashing = layer.into_inner()?;
    hashing.flush()?;
    Ok(hex(&hashing.hash.finalize()))
}

fn header(mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn append(tar: &mut tar::Builder<impl Write>, path: &str, mode: u32, size: u64, data: impl Read) -> Result<()> {
    tar.append_data(&mut header(mode, size), path, data)
        .with_context(|| format!("add {path}"))
}

/// Go's name for this machine's architecture.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

struct Hashing<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_names_its_config_layer_and_user() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("program");
        std::fs::write(&binary, b"#!program").unwrap();
        let out = dir.path().join("image.tar");
        let spec = ImageSpec {
            reference: "localhost/program:1",
            entrypoint: &["/bin/program"],
            env: &[],
            user: 65534,
            files: vec![(binary, "/bin/program")],
        };
        write_image(&spec, &out).unwrap();
        let first = std::fs::read(&out).unwrap();
        let mut manifest = None;
        let mut names = Vec::new();
        for entry in tar::Archive::new(first.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            if name == "manifest.json" {
                let value: serde_json::Value = serde_json::from_reader(&mut entry).unwrap();
                manifest = Some(value);
            }
            names.push(name);
        }
        let manifest = manifest.unwrap();
        assert_eq!(manifest[0]["RepoTags"][0], "localhost/program:1");
        assert!(names.contains(&manifest[0]["Config"].as_str().unwrap().to_owned()));
        assert!(names.contains(&manifest[0]["Layers"][0].as_str().unwrap().to_owned()));
        write_image(&spec, &out).unwrap();
        assert_eq!(first, std::fs::read(&out).unwrap(), "same input, same bytes");
    }
}
