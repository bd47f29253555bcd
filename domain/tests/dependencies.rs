//! The rules stay pure: neither a database nor a web server nor a runtime comes in through the manifest.

const MANIFEST: &str = include_str!("../Cargo.toml");

const ALLOWED: [&str; 5] = ["chrono", "rust_decimal", "serde", "thiserror", "uuid"];
const ALLOWED_IN_TESTS: [&str; 1] = ["proptest"];

/// Each table of the manifest that names crates, with their names.
fn tables_of_crates() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut tables: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in MANIFEST.lines().map(str::trim) {
        if line.starts_with('[') {
            tables.push((line, Vec::new()));
        } else if let (Some((_, names)), Some((key, _))) = (tables.last_mut(), line.split_once('='))
        {
            let name = key.split('.').next().unwrap_or(key);
            names.push(name.trim().trim_matches('"'));
        }
    }
    tables.retain(|(heading, _)| heading.contains("dependencies"));
    tables
}

#[test]
fn the_domain_sees_these_crates_and_no_others() {
    let expected = [
        ("[dependencies]", ALLOWED.to_vec()),
        ("[dev-dependencies]", ALLOWED_IN_TESTS.to_vec()),
    ];
    // Any other table, such as one for a platform or a single crate, is a way around this list.
    assert_eq!(tables_of_crates(), expected);
}

#[test]
fn a_name_is_that_of_the_crate_itself() {
    assert!(
        !MANIFEST.contains("package ="),
        "a renamed crate hides behind an allowed name"
    );
}
