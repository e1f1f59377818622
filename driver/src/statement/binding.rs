//! Values for the parameters of a statement.

use std::num::NonZero;

use super::PreparedStatement;
use crate::{Error, Params, Result, Value};

impl PreparedStatement {
    /// How many parameters it has.
    pub(crate) fn parameters_count(&self) -> usize {
        self.statement.parameters_count()
    }

    /// Binds values to its parameters, all of them.
    ///
    /// # Errors
    /// In `sqlite3`'s words: [`Error::Programming`] if the number of values is wrong or a name is missing.
    pub(crate) fn bind(&mut self, parameters: Params) -> Result<()> {
        let needed = self.statement.parameters_count();
        match parameters {
            Params::None => self.bind_positional(needed, Vec::new()),
            Params::Positional(values) => self.bind_positional(needed, values),
            Params::Named(values) => self.bind_named(needed, values),
            waiting => {
                let known = self.looked_up(waiting)?;
                self.bind(known)
            }
        }
    }

    /// The parameters for this statement, with what has to be asked for asked for, in the statement's order: what
    /// `sqlite3` does while it binds.
    ///
    /// # Errors
    /// As [`bind`](Self::bind), and those of the source.
    pub(crate) fn looked_up(&self, parameters: Params) -> Result<Params> {
        let needed = self.statement.parameters_count();
        match parameters {
            Params::Lookup(lookup) => (1..=needed)
                .map_while(NonZero::new)
                .map(|index| {
                    let name = self.parameter_name(index)?;
                    lookup.find(&name, index.get())?.ok_or_else(|| missing_value(&name))
                })
                .collect::<Result<Vec<Value>>>()
                .map(Params::Positional),
            Params::Unfit(unfit) => Err(unfit.refusal(needed)),
            known => Ok(known),
        }
    }

    /// The name of a parameter, without the sign before it (`:`, `@`, `$` or `?`).
    fn parameter_name(&self, index: NonZero<usize>) -> Result<String> {
        let mut name = self.statement.parameters().name(index).ok_or_else(|| {
            Error::programming(format!(
                "Binding {index} has no name, but you supplied a dictionary (which has only names)."
            ))
        })?;
        Ok(name.split_off(1))
    }

    fn bind_positional(&mut self, needed: usize, values: Vec<Value>) -> Result<()> {
        if values.len() != needed {
            return Err(Error::wrong_number_of_values(needed, values.len()));
        }
        (1..)
            .map_while(NonZero::new)
            .zip(values)
            .try_for_each(|(index, value)| self.bind_value(index, value))
    }

    fn bind_named(&mut self, needed: usize, values: Vec<(String, Value)>) -> Result<()> {
        for index in (1..=needed).map_while(NonZero::new) {
            let name = self.parameter_name(index)?;
            // Of two values for one name the last counts.
            let value = values.iter().rev().find(|(given, _)| *given == name);
            let value = value.ok_or_else(|| missing_value(&name))?.1.clone();
            self.bind_value(index, value)?;
        }
        Ok(())
    }

    fn bind_value(&mut self, index: NonZero<usize>, value: Value) -> Result<()> {
        self.statement.bind_at(index, value.into_engine()).map_err(Error::from)
    }
}

fn missing_value(name: &str) -> Error {
    Error::programming(format!("You did not supply a value for binding parameter :{name}."))
}
