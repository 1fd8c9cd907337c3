//! Inputs, targets and outputs of any shape as sequences of numbers.

/// The numbers of a file, in order.
pub struct Numbers(std::vec::IntoIter<f64>);

impl Numbers {
    pub fn read(path: &str) -> std::io::Result<Numbers> {
        let bytes = std::fs::read(path)?;
        let (numbers, _) = bytes.as_chunks::<8>();
        Ok(Numbers(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect::<Vec<_>>().into_iter()))
    }

    pub fn next(&mut self) -> f64 {
        self.0.next().expect("the file is as long as the examples")
    }
}

pub trait Flat: Clone {
    const ZERO: Self;
    fn read(&mut self, numbers: &mut Numbers);
    fn write(&self, numbers: &mut Vec<f64>);
}

macro_rules! flat_scalars {
    ($($type:ty)*) => {$(
        impl Flat for $type {
            const ZERO: Self = 0 as $type;

            fn read(&mut self, numbers: &mut Numbers) {
                *self = numbers.next() as $type;
            }

            fn write(&self, numbers: &mut Vec<f64>) {
                numbers.push(*self as f64);
            }
        }
    )*};
}

flat_scalars! { f32 f64 usize }

impl Flat for () {
    const ZERO: Self = ();

    fn read(&mut self, _: &mut Numbers) {}

    fn write(&self, _: &mut Vec<f64>) {}
}

impl<T: Flat, const N: usize> Flat for [T; N] {
    const ZERO: Self = [T::ZERO; N];

    fn read(&mut self, numbers: &mut Numbers) {
        self.iter_mut().for_each(|element| element.read(numbers));
    }

    fn write(&self, numbers: &mut Vec<f64>) {
        self.iter().for_each(|element| element.write(numbers));
    }
}

/// Implements [`Flat`] for a struct of such fields, in this order.
#[allow(unused_macros)]
macro_rules! flat_struct {
    ($name:ident { $($field:ident),* }) => {
        impl $crate::flat::Flat for $name {
            const ZERO: Self = $name { $($field: $crate::flat::Flat::ZERO),* };

            fn read(&mut self, numbers: &mut $crate::flat::Numbers) {
                $(self.$field.read(numbers);)*
            }

            fn write(&self, numbers: &mut Vec<f64>) {
                $(self.$field.write(numbers);)*
            }
        }
    };
}

#[allow(unused_imports)]
pub(crate) use flat_struct;
