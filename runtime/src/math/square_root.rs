//! Square roots as one instruction where the processor is known to have it.
//!
//! `core` has no stable square root yet. The intrinsics below become LLVM's own operation, so that a loop over an optimizer's elements is
//! vectorized; `libm` would be a call, or assembly that nothing can be moved across. All are rounded exactly: results are the same everywhere.

#[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
#[allow(unsafe_code)]
mod instruction {
    use core::arch::x86_64::{_mm_cvtsd_f64, _mm_cvtss_f32, _mm_set_sd, _mm_set_ss, _mm_sqrt_sd, _mm_sqrt_ss};

    #[inline]
    pub(crate) fn single(x: f32) -> f32 {
        // SAFETY: the instructions belong to SSE, which this function is only compiled with.
        unsafe { _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x))) }
    }

    #[inline]
    pub(crate) fn double(x: f64) -> f64 {
        // SAFETY: the instructions belong to SSE2, which this function is only compiled with.
        unsafe {
            let x = _mm_set_sd(x);
            _mm_cvtsd_f64(_mm_sqrt_sd(x, x))
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
mod instruction {
    pub(crate) use libm::{sqrt as double, sqrtf as single};
}

pub(crate) use instruction::{double, single};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn square_roots_are_those_of_libm_to_the_last_bit() {
        let special = [0.0, -0.0, 1.0, 2.0, 1e-45, 1e-38, 3.4e38, f32::INFINITY, f32::MIN_POSITIVE];
        let many = (0..20_000_u32).map(|at| f32::from_bits(at * 104_729 % 0x7f80_0000));
        for x in special.into_iter().chain(many) {
            assert_eq!(single(x).to_bits(), libm::sqrtf(x).to_bits(), "the root of {x}");
            let x = f64::from(x) * 1.000_000_001;
            assert_eq!(double(x).to_bits(), libm::sqrt(x).to_bits(), "the root of {x}");
        }
        assert!(single(-1.0).is_nan() && double(-1.0).is_nan());
    }
}
