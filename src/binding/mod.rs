//! The only room that knows napi: arguments in, values and promises out.

mod answer;
mod errors;
mod name;
mod promise;
mod storage;
mod worker;
