//! What the command promises: results, messages with a place, exit codes, and no half-written file.

mod bad_data;
mod bad_specs;
mod cost;
mod eval;
mod explain;
mod facts;
mod fmt;
mod generated;
mod include;
mod jacobian;
mod notation;
mod output;
mod trace;
mod train;
mod verify;
mod workspace;
