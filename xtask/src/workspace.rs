//! Where things are.

use std::path::{Path, PathBuf};
use std::{env, fs};

use serde::Deserialize;

use crate::failure::{Context, Failure, Result};
use crate::process::Program;

/// The repository, as cargo and its folders describe it.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    /// Packages whose only library is an extension module: they link only inside of Python, so `cargo test` leaves them out.
    pub(crate) extension_packages: Vec<String>,
    /// Folders with a configuration of the generator: the root, the examples, and what tests are about.
    pub(crate) generated: Vec<PathBuf>,
    /// Folders that `pip install` takes: the same.
    pub(crate) python_projects: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    crate_types: Vec<String>,
}

impl Workspace {
    /// Asks cargo, and looks into `examples/` and `tests/`.
    pub(crate) fn find() -> Result<Self> {
        // Asked at run time: a path that was compiled in would be another copy's, where copies share a target folder.
        let here = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from);
        let text = Program::cargo(&here)
            .arguments(["metadata", "--no-deps", "--format-version", "1"])
            .read()?;
        let metadata: Metadata = serde_json::from_str(&text).context(|| "the output of `cargo metadata`".to_owned())?;
        let extension_packages = metadata.packages.iter().filter(|package| package.is_extension_module());
        let extension_packages = extension_packages.map(|package| package.name.clone()).collect();
        let folders = folders_with_projects(&metadata.workspace_root)?;
        let having = |file: &str| {
            folders
                .iter()
                .filter(|folder| folder.join(file).is_file())
                .cloned()
                .collect()
        };
        Ok(Self {
            extension_packages,
            generated: having("async-proxy.toml"),
            python_projects: having("pyproject.toml"),
            root: metadata.workspace_root,
            target: metadata.target_directory,
        })
    }

    /// A path as a person at the root would write it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        match path.strip_prefix(&self.root) {
            Ok(relative) if relative.as_os_str().is_empty() => ".".to_owned(),
            Ok(relative) => relative.display().to_string(),
            Err(_) => path.display().to_string(),
        }
    }

    /// The folders of Python packages as the generator writes them: `generated/python/<package>`, at the root and in each of the
    /// other projects.
    pub(crate) fn python_packages(&self) -> Result<Vec<PathBuf>> {
        let mut packages = Vec::new();
        for folder in &self.generated {
            let folder = folder.join("generated").join("python");
            packages.extend(
                subfolders(&folder)?
                    .into_iter()
                    .filter(|package| package.join("__init__.py").is_file()),
            );
        }
        if packages.is_empty() {
            return Err(Failure::new(
                "there is no generated Python package: run `cargo run -p generator`",
            ));
        }
        Ok(packages)
    }
}

impl Package {
    fn is_extension_module(&self) -> bool {
        self.targets.iter().any(|target| target.crate_types == ["cdylib"])
    }
}

fn folders_with_projects(root: &Path) -> Result<Vec<PathBuf>> {
    let mut folders = vec![root.to_owned()];
    for folder in ["examples", "tests"] {
        folders.extend(subfolders(&root.join(folder))?);
    }
    Ok(folders)
}

/// The folders in a folder, sorted; none if it is not there.
fn subfolders(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let describe = || format!("reading {}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).context(describe)? {
        let path = entry.context(describe)?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_modules_are_told_from_other_crates() {
        let workspace = Workspace::find().unwrap();
        assert!(
            workspace
                .extension_packages
                .iter()
                .any(|name| name == "aioturso-native")
        );
        assert!(!workspace.extension_packages.iter().any(|name| name == "turso-driver"));
    }
}
