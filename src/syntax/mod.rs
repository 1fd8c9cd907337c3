//! From text to tree: the grammar of `grammar/network.pest`, lowered by hand.

pub mod tree;
