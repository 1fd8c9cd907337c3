//! A panic handler that cannot be linked.

unsafe extern "C" {
    /// Defined nowhere: a program links only if the optimizer removes every path that could panic.
    fn a_path_to_a_panic_is_left() -> !;
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: never called; see above.
    unsafe { a_path_to_a_panic_is_left() }
}

// `memcpy`, `memset` and the start of the process.
#[link(name = "c")]
unsafe extern "C" {}
