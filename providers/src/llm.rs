//! Language models.

pub mod local;
pub mod openai;
pub mod order;
