//! The use cases, named as the host names them.
