//! Paths of the cache of built tools and of the state directory of one test bed. Creates directories and nothing else.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The user's cache directory for test beds, shared by all clones of the repository.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Finds `$XDG_CACHE_HOME/monitored-api/testbed` (or the same below `~/.cache`) and creates it.
    pub fn locate() -> Result<Self> {
        let base = match std::env::var_os("XDG_CACHE_HOME") {
            Some(dir) if Path::new(&dir).is_absolute() => PathBuf::from(dir),
            Some(_) | None => {
                let home = std::env::home_dir().context("no home directory: set HOME or XDG_CACHE_HOME")?;
                home.join(".cache")
            }
        };
        let root = base.join("monitored-api").join("testbed");
        for folder in ["run", "tools"] {
            fs::create_dir_all(root.join(folder)).with_context(|| format!("create {}", root.display()))?;
        }
        Ok(Self { root })
    }

    /// The cache directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the state directories of the test beds are.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// Where the built tools are, each in a directory of its own.
    pub fn tools(&self) -> PathBuf {
        self.root.join("tools")
    }

    /// The names that have a state directory, whether running or not.
    pub fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.run())? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }
}

/// The state directory of one test bed: sockets, keys, data, logs.
#[derive(Debug, Clone)]
pub struct StateDir {
    name: String,
    root: PathBuf,
}

/// Longest path of a unix socket that the kernel accepts, less room for the file's name (bytes).
const SOCKET_PATH_LIMIT: usize = 107 - 16;

impl StateDir {
    /// The state directory of the test bed called `name`; 1 to 24 lower-case letters, digits and dashes.
    pub fn of(cache: &Cache, name: &str) -> Result<Self> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || name.len() > 24 || !name.chars().all(allowed) {
            bail!(
                "name: {name:?} is not a valid name of a test bed: use 1 to 24 of a-z, 0-9 and -, for example orders"
            );
        }
        let root = cache.run().join(name);
        if root.as_os_str().len() > SOCKET_PATH_LIMIT {
            bail!(
                "{} is too long for unix sockets: set XDG_CACHE_HOME to a shorter path",
                root.display()
            );
        }
        Ok(Self {
            name: name.to_owned(),
            root,
        })
    }

    /// Reads the name back from a path made by [`StateDir::of`]; for the supervisor's command line.
    pub(crate) fn from_path(root: &Path) -> Result<Self> {
        let name = root
            .file_name()
            .and_then(|n| n.to_str())
            .context("the state directory has no name")?;
        Ok(Self {
            name: name.to_owned(),
            root: root.to_path_buf(),
        })
    }

    /// The test bed's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file or directory below it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The log of a component.
    pub fn log(&self, component: &str) -> PathBuf {
        self.root.join("log").join(format!("{component}.log"))
    }

    /// The supervisor's socket (forwarders, shutdown), outside the namespaces.
    pub(crate) fn outer_socket(&self) -> PathBuf {
        self.root.join("outer.sock")
    }

    /// The init's socket (processes, dialing), inside the namespaces.
    pub(crate) fn inner_socket(&self) -> PathBuf {
        self.root.join("inner.sock")
    }

    /// A file beside the directory, which survives wiping it.
    fn beside(&self, suffix: &str) -> PathBuf {
        self.root.with_file_name(format!("{}.{suffix}", self.name))
    }

    /// Where the supervisor writes the process ids that a later run may have to end.
    pub(crate) fn pids_file(&self) -> PathBuf {
        self.beside("pids")
    }

    /// Opens the lock that is held while a test bed starts or stops.
    pub(crate) fn start_lock(&self) -> Result<File> {
        let file = open_lock(&self.beside("lock"))?;
        file.lock().context("wait for the start lock")?;
        Ok(file)
    }

    /// Takes the lock that a supervisor holds while it lives; `None` if another holds it.
    pub(crate) fn try_alive_lock(&self) -> Result<Option<File>> {
        let file = open_lock(&self.beside("alive"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).context("take the alive lock"),
        }
    }

    /// Opens the lock that every attached driver shares; the supervisor looks at it to end an unused test bed.
    pub(crate) fn users_lock(&self) -> Result<File> {
        open_lock(&self.beside("users"))
    }

    /// Whether a supervisor is alive.
    pub fn is_alive(&self) -> Result<bool> {
        Ok(self.try_alive_lock()?.is_none())
    }

    /// Removes the directory; nothing in it may be mounted any more.
    pub(crate) fn wipe(&self) -> Result<()> {
        match fs::remove_dir_all(&self.root) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error).with_context(|| format!("remove {}", self.root.display())),
        }
    }

    /// Removes the directory and the files beside it, unless the test bed is alive.
    pub fn forget_if_ended(&self) -> Result<()> {
        let Some(_alive) = self.try_alive_lock()? else {
            return Ok(());
        };
        self.wipe()?;
        for suffix in ["pids", "lock", "alive", "users"] {
            // A file that does not exist is fine.
            let _ = fs::remove_file(self.beside(suffix));
        }
        Ok(())
    }
}

fn open_lock(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .open(path)
        .with_context(|| format!("open {}", path.display()))
}

/// Writes a temporary file and renames it, so that no reader sees an incomplete file.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> Result<()> {
    let parent = path.parent().context("the file's path has no parent directory")?;
    fs::create_dir_all(parent)?;
    let mut temporary = tempfile::NamedTempFile::new_in(parent)?;
    std::io::Write::write_all(&mut temporary, content)?;
    temporary
        .persist(path)
        .with_context(|| format!("write {}", path.display()))?;
    Ok(())
}
