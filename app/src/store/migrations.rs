//! The versions of the schema, embedded.
//!
//! A table instead of `sqlx::migrate!`: that macro would build both drivers, SQLite's C code with them, once more for the
//! compiler alone.

use sqlx::{
    SqlSafeStr as _,
    migrate::{Migration, MigrationType, Migrator},
};

/// Version, description and statements. A released migration never changes: databases hold its checksum.
type Version = (i64, &'static str, &'static str);

const SQLITE: &[Version] = &[
    (1, "data", include_str!("../../migrations/sqlite/0001_data.sql")),
    (2, "products", include_str!("../../migrations/sqlite/0002_products.sql")),
    (3, "users", include_str!("../../migrations/sqlite/0003_users.sql")),
];

const POSTGRES: &[Version] = &[
    (1, "data", include_str!("../../migrations/postgres/0001_data.sql")),
    (
        2,
        "products",
        include_str!("../../migrations/postgres/0002_products.sql"),
    ),
    (3, "users", include_str!("../../migrations/postgres/0003_users.sql")),
];

pub(super) fn sqlite() -> Migrator {
    migrator(SQLITE)
}

pub(super) fn postgres() -> Migrator {
    migrator(POSTGRES)
}

fn migrator(versions: &[Version]) -> Migrator {
    let migrations = versions.iter().map(|(version, description, statements)| {
        let statements = statements.into_sql_str();
        Migration::new(
            *version,
            (*description).into(),
            MigrationType::Simple,
            statements,
            false,
        )
    });
    let mut migrator = Migrator::with_migrations(migrations.collect());
    // Versions only ever add, so a program may run on the schema of a later one: that is what an update in steps, and going
    // back, need.
    migrator.set_ignore_missing(true);
    migrator
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_of_migrations_is_a_version_and_nothing_else() {
        for (folder, versions) in [("sqlite", SQLITE), ("postgres", POSTGRES)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
            let files: BTreeMap<_, _> = fs::read_dir(folder)
                .unwrap()
                .map(|file| {
                    let path = file.unwrap().path();
                    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                    (name, fs::read_to_string(path).unwrap())
                })
                .collect();
            let embedded: BTreeMap<_, _> = versions
                .iter()
                .map(|(version, description, text)| (format!("{version:04}_{description}.sql"), (*text).to_owned()))
                .collect();
            assert_eq!(files, embedded);
        }
    }
}
