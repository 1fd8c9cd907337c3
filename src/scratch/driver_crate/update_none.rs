//! For a net that nothing updates.

use crate::generated::{Input, Net, Scratch, Target};

pub type State = ();

pub const START: State = ();

pub fn step(_: &mut Net, _: &[Input], _: &[Target], _: &mut State, _: &mut Scratch) {}
