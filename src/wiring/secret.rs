//! The key that tokens are signed with: the setting's, else one that is made once and kept in the folder of data.

use std::io::{self, Write};
use std::path::Path;

use rand_core::{OsRng, TryRngCore as _};
use tandem_access::secret::SecretKey;

use super::BootError;

/// Name of the file. It is readable by its owner alone.
const FILE: &str = "secret_key";

/// The key of a program whose setting is `set` and whose data lie in `folder`.
pub(super) fn key(set: Option<SecretKey>, folder: &Path) -> Result<SecretKey, BootError> {
    set.map_or_else(|| kept(folder), Ok)
}

fn kept(folder: &Path) -> Result<SecretKey, BootError> {
    let file = folder.join(FILE);
    let failed = |source| BootError::SecretFile { file: file.display().to_string(), source };
    loop {
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                let wrong = |source| BootError::SecretKey { file: file.display().to_string(), source };
                return SecretKey::parse(&text).map_err(wrong);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let key = SecretKey::generate(&mut OsRng.unwrap_err());
        std::fs::create_dir_all(folder).map_err(failed)?;
        // Made whole under another name, for its owner alone (0600), and never over one that another process was faster to make.
        let mut new = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        writeln!(new, "{}", key.text().expose()).map_err(failed)?;
        new.as_file().sync_all().map_err(failed)?;
        match new.persist_noclobber(&file) {
            Ok(_) => return Ok(key),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error.error)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let made = key(None, &data).unwrap();
        assert_eq!(key(None, &data).unwrap().text().expose(), made.text().expose());
        let mode = std::fs::metadata(data.join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&data).unwrap().count(), 1, "nothing is left beside it");
        let set = SecretKey::parse("0123456789abcdefghijklmnopqrstuv").unwrap();
        assert_eq!(key(Some(set.clone()), &data).unwrap().text().expose(), set.text().expose());
    }

    #[test]
    fn a_file_that_was_emptied_does_not_start_the_program() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), "").unwrap();
        assert!(matches!(key(None, folder.path()), Err(BootError::SecretKey { .. })));
    }
}
