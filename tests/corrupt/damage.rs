//! One damage a round: where, how wide, and with what.

use std::path::{Path, PathBuf};

use tidings::engine::draw::Draw;

/// Which file is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Database,
    Log,
    Spare,
}

/// What is done to the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A page of zeroes.
    Blank,
    /// A page of noise.
    Noise,
    /// A page that belongs elsewhere, as after a write to a wrong place.
    Misplaced,
    /// Some bytes turned over.
    Flipped,
    /// The rest of the file gone.
    Cut,
}

const PARTS: [Part; 6] = [
    Part::Database,
    Part::Database,
    Part::Database,
    Part::Log,
    Part::Log,
    Part::Spare,
];

const KINDS: [Kind; 5] = [
    Kind::Blank,
    Kind::Noise,
    Kind::Misplaced,
    Kind::Flipped,
    Kind::Cut,
];

const PAGE: usize = 4096;

/// A number below `n`, which is not zero.
pub(crate) fn below(draw: &mut Draw, n: usize) -> usize {
    let wide = u64::try_from(n.max(1)).unwrap();
    usize::try_from((draw.next_u64() >> 11) % wide).unwrap()
}

pub(crate) fn pick<T: Copy>(draw: &mut Draw, from: &[T]) -> T {
    from[below(draw, from.len())]
}

pub(crate) fn file(store: &Path, part: Part) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(match part {
        Part::Database => "",
        Part::Log => "-wal",
        Part::Spare => ".spare",
    });
    PathBuf::from(name)
}

/// Damages one of the files; a log or spare that is empty leaves the database to be hit.
pub(crate) fn inflict(draw: &mut Draw, store: &Path) -> (Part, Kind) {
    let wanted = pick(draw, &PARTS);
    let length = |part| std::fs::metadata(file(store, part)).map_or(0, |found| found.len());
    let part = match length(wanted) {
        0 => Part::Database,
        _ => wanted,
    };
    let kind = pick(draw, &KINDS);
    let path = file(store, part);
    let mut bytes = std::fs::read(&path).unwrap_or_default();
    hit(draw, &mut bytes, kind);
    std::fs::write(&path, bytes).unwrap();
    (part, kind)
}

fn hit(draw: &mut Draw, bytes: &mut Vec<u8>, kind: Kind) {
    if bytes.is_empty() {
        return;
    }
    let pages = bytes.len().div_ceil(PAGE);
    let start = below(draw, pages) * PAGE;
    let end = (start + PAGE).min(bytes.len());
    match kind {
        Kind::Blank => bytes[start..end].fill(0),
        Kind::Noise => bytes[start..end].fill_with(|| draw.next_u64().to_le_bytes()[7]),
        Kind::Misplaced => {
            let from = below(draw, pages) * PAGE;
            let other: Vec<u8> = bytes.iter().skip(from).take(end - start).copied().collect();
            bytes[start..start + other.len()].copy_from_slice(&other);
        }
        Kind::Flipped => {
            let at = below(draw, bytes.len());
            let wide = 1 + below(draw, 64);
            bytes
                .iter_mut()
                .skip(at)
                .take(wide)
                .for_each(|byte| *byte ^= 0x5a);
        }
        Kind::Cut => bytes.truncate(below(draw, bytes.len())),
    }
}
