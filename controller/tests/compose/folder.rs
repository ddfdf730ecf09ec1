//! What becomes of the folder when the command is run again, and of what a person changed in it.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use super::{compose_at, files, free_ports, told};

/// Options with which a folder can be written again.
fn options() -> Vec<String> {
    let [prometheus, alertmanager, grafana] = free_ports::<3>();
    format!(
        "--job orders=app1:80 --dialect s0 --webhook http://hooks.example.org/token --prometheus-port {prometheus} --alertmanager-port \
         {alertmanager} --grafana-port {grafana}"
    )
    .split(' ')
    .map(str::to_owned)
    .collect()
}

fn run(folder: &Path, options: &[String], more: &[&str]) -> (Option<i32>, String, String) {
    let options: Vec<&str> = options.iter().map(String::as_str).chain(more.iter().copied()).collect();
    let output = compose_at(folder, &options);
    let told = told(&output);
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), told)
}

#[test]
fn writing_twice_changes_nothing_not_even_a_time_of_change() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("deep/stack");
    let options = options();
    let (code, printed, told) = run(&place, &options, &[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(printed.contains("written    compose.yaml\n"), "{printed}");
    let (first, inode) = (files(&place), fs::metadata(place.join("compose.yaml")).unwrap().ino());
    let (code, printed, _) = run(&place, &options, &[]);
    assert_eq!((code, printed.contains("written")), (Some(0), false), "{printed}");
    assert_eq!(files(&place), first);
    assert_eq!(fs::metadata(place.join("compose.yaml")).unwrap().ino(), inode);
}

#[test]
fn a_secret_is_drawn_once_and_only_the_owner_enters_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let options = options();
    run(folder.path(), &options, &[]);
    let secrets = folder.path().join("secrets");
    let password = fs::read_to_string(secrets.join("grafana_admin_password")).unwrap();
    assert!(
        password.len() == 32 && password.chars().all(|c| c.is_ascii_hexdigit()),
        "{password}"
    );
    let url = fs::read_to_string(secrets.join("webhook_url")).unwrap();
    assert_eq!(url, "http://hooks.example.org/token");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    // The containers read the files as users of their own; nobody else of this machine enters the folder.
    assert_eq!((mode(&secrets), mode(&secrets.join("webhook_url"))), (0o700, 0o644));
    assert!(
        !fs::read_to_string(folder.path().join("alertmanager/alertmanager.yml"))
            .unwrap()
            .contains("token")
    );
    assert_eq!(
        fs::read_to_string(folder.path().join(".gitignore"))
            .unwrap()
            .lines()
            .last(),
        Some("/secrets/")
    );

    let (code, _, told) = run(folder.path(), &options, &["--force"]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!(
        fs::read_to_string(secrets.join("grafana_admin_password")).unwrap(),
        password
    );
    let other = options
        .iter()
        .map(|word| word.replace("token", "another"))
        .collect::<Vec<_>>();
    let (code, _, told) = run(folder.path(), &other, &[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        told.contains("webhook_url: it has another value, which stays"),
        "{told}"
    );
}

#[test]
fn a_file_that_was_changed_is_kept_until_forced_and_one_of_an_api_that_is_gone_goes() {
    let folder = tempfile::tempdir().unwrap();
    let options = options();
    run(folder.path(), &options, &["--job", "carts=app2:80"]);
    let compose = folder.path().join("compose.yaml");
    let changed = fs::read_to_string(&compose).unwrap() + "# mine\n";
    fs::write(&compose, &changed).unwrap();
    let carts = folder.path().join("prometheus/rules/default.carts.yaml");
    assert!(carts.is_file());

    // The compose file does not depend on the APIs.
    let (code, printed, told) = run(folder.path(), &options, &[]);
    assert_eq!(code, Some(0), "{told}");
    assert!(
        printed.contains("kept       compose.yaml") && told.contains("--force"),
        "{printed}{told}"
    );
    assert!(!carts.exists());

    let before = files(folder.path());
    let (code, _, told) = run(folder.path(), &options, &["--retention", "30d"]);
    assert_eq!(code, Some(2));
    assert!(
        told.contains("changed by hand") && told.contains("compose.yaml") && told.contains("--force"),
        "{told}"
    );
    assert_eq!(files(folder.path()), before);

    let (code, _, told) = run(folder.path(), &options, &["--retention", "30d", "--force"]);
    assert_eq!(code, Some(0), "{told}");
    let written = fs::read_to_string(&compose).unwrap();
    assert!(
        written.contains("retention.time=30d") && !written.contains("# mine"),
        "{written}"
    );
}
