//! The attribute macro of deltarule.
