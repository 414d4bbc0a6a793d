//! A file that appears under its name when it is whole and on the disk, and overwrites nothing.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Written under another name in the same folder, with mode 0600; removed unless it is kept.
#[derive(Debug)]
pub struct NewFile {
    part: NamedTempFile,
    name: PathBuf,
    folder: PathBuf,
}

impl NewFile {
    pub fn begin(name: &Path) -> Result<Self> {
        if name.symlink_metadata().is_ok() {
            return Err(exists(name));
        }
        let parent = name.parent().filter(|p| !p.as_os_str().is_empty());
        let folder = parent.unwrap_or(Path::new(".")).to_owned();
        Ok(Self {
            part: NamedTempFile::new_in(&folder).map_err(|e| at(&folder, &e))?,
            name: name.to_owned(),
            folder,
        })
    }

    /// Where it is until it is kept.
    pub fn path(&self) -> &Path {
        self.part.path()
    }

    pub fn file(&self) -> &File {
        self.part.as_file()
    }

    /// Gives it its name; returns its bytes.
    pub fn keep(self) -> Result<u64> {
        let name = &self.name;
        self.part.as_file().sync_all().map_err(|e| at(name, &e))?;
        let kept = self
            .part
            .persist_noclobber(name)
            .map_err(|e| match e.error {
                e if e.kind() == std::io::ErrorKind::AlreadyExists => exists(name),
                e => at(name, &e),
            })?;
        // The name is to be on the disk as well.
        File::open(&self.folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|e| at(&self.folder, &e))?;
        let metadata = kept.metadata().map_err(|e| at(name, &e))?;
        Ok(metadata.len())
    }
}

fn exists(file: &Path) -> Error {
    Error::Conflict(format!("{} exists; nothing was written", file.display()))
}

fn at(path: &Path, e: &std::io::Error) -> Error {
    Error::internal(std::io::Error::other(format!("{}: {e}", path.display())))
}
