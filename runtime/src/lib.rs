//! The runtime of deltarule.
#![no_std]
