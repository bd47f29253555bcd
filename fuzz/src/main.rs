//! The target that `FUZZ_TARGET` names, under libFuzzer, whose options are the arguments. `FUZZ_SEEDS` names a directory
//! that gets the target's seeds; it is one of the arguments too.
#![no_main]

use std::sync::OnceLock;

use fuzz::{TARGETS, Target};
use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};

static CHOSEN: OnceLock<&'static Target> = OnceLock::new();

fn chosen() -> &'static Target {
    CHOSEN.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
        fuzz::target(&name).unwrap_or_else(|| {
            let names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
            eprintln!("FUZZ_TARGET is one of: {}", names.join(" "));
            std::process::exit(64)
        })
    })
}

fn begin() {
    let seeds = (chosen().seeds)();
    let Some(place) = std::env::var_os("FUZZ_SEEDS") else {
        return;
    };
    for (number, seed) in seeds.iter().enumerate() {
        let file = std::path::Path::new(&place).join(format!("seed-{number}"));
        if let Err(error) = std::fs::write(&file, seed) {
            eprintln!("{}: {error}", file.display());
            std::process::exit(74);
        }
    }
}

fuzz_target!(init: begin(), |input: &[u8]| {
    (chosen().read)(input);
});

fuzz_mutator!(|data: &mut [u8], size: usize, longest: usize, seed: u32| {
    if chosen().is_archive {
        fuzz::mutated(data, size, longest, seed, fuzzer_mutate)
    } else {
        fuzzer_mutate(data, size, longest)
    }
});
