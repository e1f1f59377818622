//! The modules that the classes and functions of an API are in: those of the package itself, or of a submodule.

use super::super::model::Package;

/// Where something is: in the package itself, or in a submodule of that name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a>(pub(super) Option<&'a str>);

impl<'a> Place<'a> {
    /// The package itself, and each submodule.
    pub(super) fn all(package: &'a Package) -> Vec<Self> {
        let submodules = package.submodules.iter().map(|name| Self(Some(name)));
        std::iter::once(Self(None)).chain(submodules).collect()
    }

    /// The place of what has this one in the model.
    pub(super) fn of(module: &'a Option<String>) -> Self {
        Self(module.as_deref())
    }

    /// The module of the blocking side: `lib`, `lib_sync`.
    pub(super) fn lib(self) -> String {
        self.0.map_or_else(|| "lib".to_owned(), |name| format!("lib_{name}"))
    }

    /// The module of the asyncio side: `lib_aio`, `lib_sync_aio`.
    pub(super) fn lib_aio(self) -> String {
        format!("{}_aio", self.lib())
    }

    /// The place of a name that annotations use.
    pub(super) fn of_name(package: &'a Package, name: &str) -> Self {
        let aliases = package.aliases.iter().map(|alias| (&alias.name, &alias.module));
        let values = package.values.iter().map(|value| (&value.name, &value.module));
        let mut placed = aliases.chain(values);
        let found = placed.find(|(placed, _)| *placed == name);
        found.map_or(Self(None), |(_, module)| Self::of(module))
    }
}
