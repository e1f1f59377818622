//! The parameters of a statement.

use turso_driver::Params;

/// The parameters of a statement: by position, or by name. Whatever the driver's `Params` is made of makes one.
#[derive(Debug)]
pub struct Parameters(pub(crate) Params);

impl<T: Into<Params>> From<T> for Parameters {
    fn from(parameters: T) -> Self {
        Self(parameters.into())
    }
}

/// In Python they are a sequence or a mapping, as the driver takes them; what it refuses is an error of this API.
#[cfg(feature = "python")]
mod python {
    use async_proxy::python::Refusal;
    use pyo3::{Borrowed, FromPyObject, PyAny};
    use turso_driver::Params;

    use super::Parameters;
    use crate::error::JobsError;

    impl<'py> FromPyObject<'_, 'py> for Parameters {
        type Error = Refusal<JobsError>;

        fn extract(object: Borrowed<'_, 'py, PyAny>) -> Result<Self, Self::Error> {
            match Params::extract(object) {
                Ok(parameters) => Ok(Self(parameters)),
                Err(Refusal::Python(exception)) => Err(Refusal::Python(exception)),
                Err(Refusal::Api(error)) => Err(Refusal::Api(error.into())),
            }
        }
    }
}
