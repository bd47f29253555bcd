//! Archives, looked through before anything else reads them: nothing that they declare is believed, everything is
//! unpacked and counted.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::part::{self, Part, SheetPart};
use super::{MAX_ENTRIES, MAX_RATIO, MAX_SHEETS, MAX_UNPACKED, Refused, RefusedCode};

/// What is known of a workbook once it has been looked through.
pub(super) struct Scanned {
    /// Its sheets of cells by name.
    pub(super) sheets: BTreeMap<String, SheetPart>,
}

/// Below this size no ratio does any harm, and short texts of zeros pack very well.
const HARMLESS: u64 = 1024 * 1024;

/// Looks through an archive.
pub(super) fn scan(bytes: &[u8]) -> Result<Scanned, Refused> {
    // Before a library makes a list of them all.
    let entries = bytes
        .windows(4)
        .filter(|window| *window == b"PK\x01\x02")
        .take(MAX_ENTRIES + 1)
        .count();
    if entries > MAX_ENTRIES {
        return Err(RefusedCode::TooManyEntries.into());
    }
    let mut archive =
        ZipArchive::new(Cursor::new(bytes)).map_err(|_| Refused::from(RefusedCode::Truncated))?;
    if archive.has_duplicate_names() {
        return Err(RefusedCode::DuplicateEntry.into());
    }
    let (mut unpacked, mut names, mut parts) = (0, BTreeSet::new(), BTreeMap::new());
    for place in 0..archive.len() {
        let entry = archive.by_index(place).map_err(|error| told(&error))?;
        if entry.encrypted() {
            return Err(RefusedCode::Encrypted.into());
        }
        let name = entry
            .name()
            .map_err(|error| told(&error))?
            .replace('\\', "/");
        check_name(&name)?;
        let key = name.to_ascii_lowercase();
        if !names.insert(key.clone()) {
            return Err(Refused::with(RefusedCode::DuplicateEntry, "entry", &name));
        }
        let packed = entry.compressed_size();
        let count = Cell::new(0);
        let counted = Counted {
            inner: entry,
            count: &count,
            limit: MAX_UNPACKED.saturating_sub(unpacked),
        };
        let part = read_part(&key, counted, &count, packed);
        unpacked += count.get();
        if unpacked > MAX_UNPACKED {
            return Err(RefusedCode::UnpackedTooLarge.into());
        }
        if is_absurd(count.get(), packed) {
            return Err(Refused::with(RefusedCode::RatioTooLarge, "entry", &name));
        }
        parts.insert(key, part?);
    }
    // Many small ones add up.
    if is_absurd(unpacked, u64::try_from(bytes.len()).unwrap_or(u64::MAX)) {
        return Err(RefusedCode::RatioTooLarge.into());
    }
    workbook(parts)
}

fn is_absurd(unpacked: u64, packed: u64) -> bool {
    unpacked > HARMLESS && unpacked / MAX_RATIO > packed
}

fn told(error: &ZipError) -> Refused {
    let needs_password =
        matches!(error, ZipError::UnsupportedArchive(reason) if reason.contains("assword"));
    let is_encrypted = needs_password || matches!(error, ZipError::InvalidPassword);
    if is_encrypted {
        RefusedCode::Encrypted
    } else {
        RefusedCode::Damaged
    }
    .into()
}

/// An entry stays where it is said to be.
fn check_name(name: &str) -> Result<(), Refused> {
    let leads_out = name.split('/').any(|step| step == ".." || step == ".");
    let is_absolute = name.starts_with('/') || name.contains(':');
    if leads_out || is_absolute || name.chars().any(char::is_control) {
        return Err(Refused::with(
            RefusedCode::PathTrick,
            "entry",
            &name.escape_default(),
        ));
    }
    Ok(())
}

/// Unpacks an entry, reading it if it is XML that says something of the workbook.
fn read_part(
    name: &str,
    counted: Counted<'_, impl Read>,
    count: &Cell<u64>,
    packed: u64,
) -> Result<Part, Refused> {
    let mut reader = BufReader::new(counted);
    let is_markup = [".xml", ".rels"].iter().any(|end| name.ends_with(end));
    // Beside the workbook stand drawings and properties that nobody here reads; programs write them badly.
    let is_read = !["docprops/", "customxml/", "xl/drawings/", "xl/charts/"]
        .iter()
        .any(|begin| name.starts_with(begin));
    let part = if is_markup {
        part::read(&mut reader, count)
    } else {
        Ok(Part::default())
    };
    let rest = std::io::copy(&mut reader, &mut std::io::sink());
    let is_over = count.get() > HARMLESS && is_absurd(count.get(), packed);
    match (part, rest) {
        (Ok(part), Ok(_)) => Ok(part),
        (Err(refused), _) if refused.code == RefusedCode::Damaged && !is_read && !is_over => {
            Ok(Part::default())
        }
        (Err(refused), _) => Err(refused),
        (Ok(_), Err(_)) => Err(Refused::with(RefusedCode::Damaged, "entry", name)),
    }
}

/// Puts the parts together: which sheet is which part.
fn workbook(mut parts: BTreeMap<String, Part>) -> Result<Scanned, Refused> {
    let types = parts
        .get("[content_types].xml")
        .map(|part| part.content_types.join(" ").to_ascii_lowercase());
    let types = types.unwrap_or_default();
    if parts.contains_key("mimetype") && !parts.contains_key("[content_types].xml") {
        return Err(RefusedCode::Ods.into());
    }
    if types.contains("macroenabled") || parts.keys().any(|name| name.ends_with("vbaproject.bin")) {
        return Err(RefusedCode::Macros.into());
    }
    if types.contains("sheet.binary") || parts.contains_key("xl/workbook.bin") {
        return Err(RefusedCode::Xlsb.into());
    }
    if !types.contains("spreadsheetml.sheet.main+xml")
        && !types.contains("spreadsheetml.template.main+xml")
    {
        return Err(RefusedCode::NotAWorkbook.into());
    }
    let root = parts.get("_rels/.rels").and_then(|part| {
        let mut found = part.relations.iter().rev();
        found.find(|relation| relation.kind.ends_with("/officeDocument"))
    });
    let main = root
        .map(|relation| resolved("", &relation.target))
        .ok_or(RefusedCode::NotAWorkbook)?;
    let folder = main
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder)
        .to_owned();
    let file = main.rsplit('/').next().unwrap_or_default();
    let relations = format!("{folder}/_rels/{file}.rels");
    let relations = parts.get(relations.trim_start_matches('/'));
    let targets: BTreeMap<String, String> = relations
        .iter()
        .flat_map(|part| &part.relations)
        .map(|relation| (relation.id.clone(), resolved(&folder, &relation.target)))
        .collect();
    let named = parts
        .get(&main)
        .ok_or(RefusedCode::NotAWorkbook)?
        .sheets
        .clone();
    if named.len() > MAX_SHEETS {
        return Err(RefusedCode::TooManySheets.into());
    }
    let mut sheets = BTreeMap::new();
    for (name, id) in named {
        let part = targets.get(&id).and_then(|target| parts.get_mut(target));
        let cells = part
            .map(|part| std::mem::take(&mut part.cells))
            .unwrap_or_default();
        if sheets.insert(name.clone(), cells).is_some() {
            return Err(Refused::with(RefusedCode::Damaged, "sheet", &name));
        }
    }
    Ok(Scanned { sheets })
}

/// The entry that a relation leads to.
fn resolved(folder: &str, target: &str) -> String {
    let path = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None if folder.is_empty() => target.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut steps: Vec<&str> = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    steps.join("/").to_ascii_lowercase()
}

/// Counts what is unpacked, and stops when it is too much.
struct Counted<'c, R> {
    inner: R,
    count: &'c Cell<u64>,
    limit: u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let count = self.count.get() + u64::try_from(read).unwrap_or(u64::MAX);
        self.count.set(count);
        if count > self.limit {
            return Err(std::io::Error::other("too much to unpack"));
        }
        Ok(read)
    }
}
