//! What an import that was stopped had taken, beside the archive that has it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::InputState;

/// The file's name in an archive's directory.
const NAME: &str = "import-state.json";

/// How far files were taken by an import that did not end.
#[derive(Debug, Default)]
pub struct State {
    /// `None` where there is no directory to note it in.
    path: Option<PathBuf>,
    inputs: BTreeMap<PathBuf, InputState>,
}

impl State {
    /// As it was left in the archive's directory. What cannot be read is as if it were not there:
    /// then everything is read again, and kept once.
    pub fn open(archive: Option<&Path>) -> Self {
        let path = archive.map(|archive| archive.join(NAME));
        let read = path.as_ref().and_then(|path| std::fs::read(path).ok());
        let inputs = read.and_then(|text| serde_json::from_slice::<Vec<InputState>>(&text).ok());
        let inputs = inputs.unwrap_or_default().into_iter();
        let inputs = inputs.map(|input| (input.path.clone(), input)).collect();
        Self { path, inputs }
    }

    /// How far the same file was taken; where it changed, it is another.
    pub fn of(&self, now: &InputState) -> Option<&InputState> {
        self.inputs.get(&now.path).filter(|input| input.is_same_file(now))
    }

    /// Notes how far a file was taken.
    pub fn set(&mut self, input: InputState) {
        self.inputs.insert(input.path.clone(), input);
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn save(&self) -> io::Result<()> {
        let Some(path) = self.path.as_ref().filter(|_| !self.inputs.is_empty()) else {
            return Ok(());
        };
        let inputs: Vec<_> = self.inputs.values().collect();
        let new = path.with_extension("new");
        std::fs::write(&new, serde_json::to_vec(&inputs)?)?;
        std::fs::rename(&new, path)
    }

    /// Removes it: everything was taken.
    ///
    /// # Errors
    /// Whatever the disk says.
    pub fn remove(self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mark;
    use super::*;

    #[test]
    fn only_the_same_file_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.jsonl");
        std::fs::write(&file, "{}\n{}\n").unwrap();
        let mut now = InputState::of(&file).unwrap().unwrap();
        let mut state = State::open(Some(dir.path()));
        now.at = Mark { offset: 3, line: 2 };
        state.set(now.clone());
        state.save().unwrap();

        let state = State::open(Some(dir.path()));
        let again = InputState::of(&file).unwrap().unwrap();
        assert_eq!(state.of(&again), Some(&now));
        for text in ["{}\n[]\n", "{}\n{}\n{}\n"] {
            std::fs::write(&file, text).unwrap();
            let mut changed = InputState::of(&file).unwrap().unwrap();
            changed.changed = now.changed;
            assert_eq!(state.of(&changed), None);
        }
        state.remove().unwrap();
        assert!(State::open(Some(dir.path())).inputs.is_empty());
        std::fs::write(dir.path().join(NAME), "nonsense").unwrap();
        assert!(State::open(Some(dir.path())).inputs.is_empty());
        assert_eq!(InputState::of(Path::new("-")).unwrap(), None);
    }
}
