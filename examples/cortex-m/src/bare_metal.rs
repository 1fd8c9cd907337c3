//! The program on the microcontroller: its start, what it says over the debugger's wire, and how much memory it takes.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

use cortex_m_rt::{STACK_PAINT_VALUE, entry};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hio;

use crate::{Memory, digits, run};

#[entry]
fn main() -> ! {
    static mut MEMORY: Memory = Memory::ZERO;
    let result = hio::hstdout().map_err(|()| fmt::Error).and_then(|mut out| {
        run(MEMORY, &mut out)?;
        report(&mut out)
    });
    exit(if result.is_ok() { EXIT_SUCCESS } else { EXIT_FAILURE })
}

/// Training has no path to a panic (`tests/no_std` shows it); formatting numbers has.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if let Ok(mut out) = hio::hstdout() {
        // Where nobody listens, there is nobody to tell.
        let _ = writeln!(out, "{info}");
    }
    exit(EXIT_FAILURE)
}

fn exit(status: debug::ExitStatus) -> ! {
    debug::exit(status);
    // No debugger is there.
    loop {
        core::hint::spin_loop();
    }
}

/// How many bytes the program takes, as the linker placed it and as the stack grew.
fn report(out: &mut impl Write) -> fmt::Result {
    let [flash, ram] = [addresses::flash(), addresses::ram()];
    let (held, stack) = (size_of::<Memory>(), addresses::stack());
    writeln!(out, "flash: {flash} bytes, of which the digits are {}", digits::BYTES)?;
    writeln!(out, "RAM: {ram} bytes, of which {held} are for training, and at most {stack} of stack")
}

/// The symbols of the linker's script (`cortex-m-rt`), of which only the addresses mean something.
mod addresses {
    use super::STACK_PAINT_VALUE;

    unsafe extern "C" {
        static __vector_table: u32;
        static __sidata: u32;
        static __sdata: u32;
        static __edata: u32;
        static __ebss: u32;
        static _stack_end: u32;
        static _stack_start: u32;
    }

    /// Code, constants, and the first values of variables, which lie behind them.
    pub(super) fn flash() -> usize {
        (&raw const __sidata).addr() - (&raw const __vector_table).addr() + (&raw const __edata).addr()
            - (&raw const __sdata).addr()
    }

    /// Variables: from the first that has a value to the last that is 0.
    pub(super) fn ram() -> usize {
        (&raw const __ebss).addr() - (&raw const __sdata).addr()
    }

    /// The greatest depth of the stack so far: it was painted before the start, and grows down.
    pub(super) fn stack() -> usize {
        let (mut lowest, start) = (&raw const _stack_end, &raw const _stack_start);
        // SAFETY: all words from the end of the stack to its start are memory, initialized with paint, and nothing else runs.
        while lowest < start && unsafe { lowest.read_volatile() } == STACK_PAINT_VALUE {
            lowest = lowest.wrapping_add(1);
        }
        start.addr() - lowest.addr()
    }
}
