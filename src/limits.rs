//! Every bound of the compiler, each a documented constant with a test at it and one past it.
//!
//! A spec may come from anyone: no text makes the compiler run without bound, overflow its stack or fill the memory.
