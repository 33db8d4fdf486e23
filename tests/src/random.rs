//! Chance that can be repeated: a seed tells the whole sequence.

use std::fs;
use std::io::Write as _;
use std::path::Path;

/// With this variable set, tests with random inputs take all of them instead of a tenth.
const SOAK: &str = "CWTS_SOAK";

/// How many of `all` random cases to run: all of them in a soak, otherwise a tenth.
pub fn tenth_of(all: u64) -> u64 {
    if std::env::var_os(SOAK).is_some() { all } else { all / 10 }
}

/// Says something past the harness, which hides what the print macros write.
///
/// # Panics
/// Standard error is closed.
pub fn tell(text: &str) {
    writeln!(std::io::stderr(), "{text}").expect("standard error is open");
}

/// Sebastiano Vigna's SplitMix64.
#[derive(Debug)]
pub struct Random(pub u64);

impl Random {
    /// 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    ///
    /// # Panics
    /// `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a short list");
        usize::try_from(self.bits() % bound).expect("below a usize")
    }

    /// One of several.
    ///
    /// # Panics
    /// There is none.
    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// An input that resembles one of the seeds.
    ///
    /// # Panics
    /// There is no seed.
    pub fn like(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.of(seeds).clone();
        for _ in 0..self.below(6) {
            self.change(&mut bytes, seeds);
        }
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        const SIGNS: &[u8] = b"\0\t\n\r \"#$%&'()*,-./01:;<=>?@[\\]`{|}\x7f\x80\xff";
        let place = self.below(bytes.len() + 1);
        let part = self.part(bytes);
        match self.below(7) {
            0 => bytes.insert(place, *self.of(SIGNS)),
            1 => drop(bytes.drain(part)),
            2 => drop(bytes.splice(place..place, bytes[part].to_vec())),
            3 => {
                let other = self.of(seeds);
                let range = self.part(other);
                bytes.splice(place..place, other[range].iter().copied());
            }
            4 => bytes.truncate(place),
            // The first byte chooses what is done with the rest.
            5 => bytes.splice(..1.min(bytes.len()), [self.bits().to_le_bytes()[0]]).for_each(drop),
            _ => bytes.splice(place..place, self.bits().to_le_bytes()).for_each(drop),
        }
    }

    fn part(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(bytes.len() + 1);
        start..start + self.below(bytes.len() - start + 1)
    }
}

/// The inputs of a fuzz target that are kept, one in each file of `fuzz/seeds/TARGET`.
///
/// # Panics
/// There are none.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = files.map(|file| file.expect("a readable folder").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    paths.iter().map(|path| fs::read(path).expect("a readable file")).collect()
}
