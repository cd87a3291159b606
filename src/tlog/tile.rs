//! Tiles: the files that a log consists of, 256 hashes or entries wide, and how they are named.

use super::{Hash, TlogError};

/// How many hashes a full tile has.
pub const TILE_WIDTH: usize = 256;

/// The highest level that a tree of 2^64 leaves has.
const MAX_LEVEL: u8 = 7;

/// A file of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tile {
    /// Entries themselves.
    Entries {
        /// Its number, from 0.
        index: u64,
        /// How many entries it has: 1 to 256.
        width: u16,
    },
    /// Hashes, each over 256 of the level below; on level 0 over one entry.
    Hashes {
        /// Its level.
        level: u8,
        /// Its number in the level, from 0.
        index: u64,
        /// How many hashes it has: 1 to 256.
        width: u16,
    },
}

impl Tile {
    /// The tile of hash `number` on `level`, as wide as a tree of `size` has it.
    pub fn of(level: u8, number: u64, size: u64) -> Self {
        let index = number / TILE_WIDTH as u64;
        let hashes = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
        let width = hashes.saturating_sub(index * TILE_WIDTH as u64).clamp(1, TILE_WIDTH as u64);
        Self::Hashes { level, index, width: width as u16 }
    }

    /// The bundle of entry `number`, as wide as a log of `size` has it.
    pub fn bundle_of(number: u64, size: u64) -> Self {
        let width = Self::of(0, number, size).width() as u16;
        Self::Entries { index: number / TILE_WIDTH as u64, width }
    }

    /// What a tree of `size` has of tiles that are not full: entries first, then by level.
    pub fn partial(size: u64) -> Vec<Self> {
        let width = |level: u8| (size >> (8 * u32::from(level))) as u16 % TILE_WIDTH as u16;
        let mut tiles = Vec::new();
        if width(0) > 0 {
            tiles.push(Self::Entries { index: size / TILE_WIDTH as u64, width: width(0) });
        }
        for level in (0..=MAX_LEVEL).filter(|level| width(*level) > 0) {
            tiles.push(Self::of(level, (size >> (8 * u32::from(level))) - 1, size));
        }
        tiles
    }

    /// The same tile once it is full.
    #[must_use]
    pub fn filled(self) -> Self {
        let width = TILE_WIDTH as u16;
        match self {
            Self::Entries { index, .. } => Self::Entries { index, width },
            Self::Hashes { level, index, .. } => Self::Hashes { level, index, width },
        }
    }

    /// How many hashes or entries it has.
    pub fn width(self) -> usize {
        match self {
            Self::Entries { width, .. } | Self::Hashes { width, .. } => width.into(),
        }
    }

    /// Where it lies below the log: `tile/0/x001/x234/067.p/5`.
    pub fn path(self) -> String {
        let (kind, index) = match self {
            Self::Entries { index, .. } => ("entries".to_owned(), index),
            Self::Hashes { level, index, .. } => (level.to_string(), index),
        };
        let mut number = format!("{:03}", index % 1000);
        let mut rest = index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        match self.width() {
            TILE_WIDTH => format!("tile/{kind}/{number}"),
            width => format!("tile/{kind}/{number}.p/{width}"),
        }
    }

    /// The tile that lies there; nothing for any other path, also where it is only written otherwise.
    pub fn at(path: &str) -> Option<Self> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| *width < 256)?),
            None => (rest, TILE_WIDTH as u16),
        };
        let mut index = 0_u64;
        for part in number.split('/') {
            let digits: u64 = part.strip_prefix('x').unwrap_or(part).parse().ok()?;
            index = index.checked_mul(1000)?.checked_add(digits)?;
        }
        let tile = match kind {
            "entries" => Self::Entries { index, width },
            level => {
                let level = level.parse().ok().filter(|level| *level <= MAX_LEVEL)?;
                Self::Hashes { level, index, width }
            }
        };
        // One way of writing each: signs, zeroes and missing x are refused by this.
        (width > 0 && tile.path() == path).then_some(tile)
    }
}

/// The bytes of a tile of hashes.
pub fn tile_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// The hashes in the bytes of a tile; where a fuller tile was read, the first of them.
///
/// # Errors
/// Bytes that are no tile, or too few.
pub fn hashes(tile: Tile, bytes: &[u8]) -> Result<Vec<Hash>, TlogError> {
    let (chunks, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || chunks.len() > TILE_WIDTH {
        return Err(TlogError::malformed("tile", "not at most 256 hashes"));
    }
    if chunks.len() < tile.width() {
        return Err(TlogError::ShortTile { path: tile.path(), found: chunks.len() });
    }
    Ok(chunks[..tile.width()].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let hashes = |level, index, width| Tile::Hashes { level, index, width };
        for (path, tile) in [
            ("tile/0/000", hashes(0, 0, 256)),
            ("tile/0/999", hashes(0, 999, 256)),
            ("tile/0/x001/000.p/1", hashes(0, 1000, 1)),
            ("tile/3/x001/x234/067.p/255", hashes(3, 1_234_067, 255)),
            ("tile/entries/x001/x000/000", Tile::Entries { index: 1_000_000, width: 256 }),
            ("tile/7/007.p/9", hashes(7, 7, 9)),
        ] {
            assert_eq!(tile.path(), path);
            assert_eq!(Tile::at(path), Some(tile), "{path}");
        }
        for path in [
            "",
            "checkpoint",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/+00",
            "tile/0/0000",
            "tile/00/000",
            "tile/8/000",
            "tile/0/x000/000",
            "tile/0/001/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/1/",
            "tile/0/../000",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/data/000",
        ] {
            assert_eq!(Tile::at(path), None, "{path}");
        }
    }

    /// The sizes that tlog-tiles tells as its examples.
    #[test]
    fn partial_tiles_of_the_specification() {
        let hashes = |level, index, width| Tile::Hashes { level, index, width };
        let expected = [
            Tile::Entries { index: 273, width: 112 },
            hashes(0, 273, 112),
            hashes(1, 1, 17),
            hashes(2, 0, 1),
        ];
        assert_eq!(Tile::partial(70_000), expected);
        assert_eq!(Tile::partial(256), [hashes(1, 0, 1)]);
        assert_eq!(Tile::partial(0), []);
    }
}
