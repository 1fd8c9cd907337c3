//! The interpreter on a number type that counts: it does the operations that [`crate::cost`] counts in the generated code.
//!
//! Where the two engines compute in different ways they differ: the interpreter multiplies with the rows of labels, and divides each
//! element of a softmax by the sum.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::num::FpCategory;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, RemAssign, Sub, SubAssign};

use ndarray::{ArrayD, IxDyn, NdFloat, ScalarOperand};
use num_traits::{Float, Num, NumCast, One, ToPrimitive, Zero};

use super::scalar::{Scalar, sealed};
use super::{Engine, Values};
use crate::cost::{Cost, Count, PassKind};
use crate::derivation::Derivation;
use crate::emit::ScalarType;
use crate::equation::TensorId;
use crate::pipeline::compile;

type Tally = BTreeMap<&'static str, i128>;

thread_local! {
    static TALLY: RefCell<Tally> = const { RefCell::new(Tally::new()) };
}

fn count(operation: &'static str) {
    TALLY.with_borrow_mut(|tally| *tally.entry(operation).or_insert(0) += 1);
}

/// A number; of a 0, 1 or -1 that the interpreter puts in by itself, that it is one: it is no operand.
#[derive(Clone, Copy, Debug)]
struct Counted {
    value: f64,
    is_given: bool,
}

fn plain(value: f64) -> Counted {
    Counted { value, is_given: false }
}

fn given(value: f64) -> Counted {
    Counted { value, is_given: true }
}

impl Counted {
    fn is(self, value: f64) -> bool {
        self.is_given && self.value == value
    }
}

impl Add for Counted {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        if self.is(0.0) {
            return other;
        }
        if other.is(0.0) {
            return self;
        }
        count("additions");
        plain(self.value + other.value)
    }
}

impl Neg for Counted {
    type Output = Self;
    fn neg(self) -> Self {
        Counted { value: -self.value, ..self }
    }
}

impl Sub for Counted {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Counted {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        for (factor, rest) in [(self, other), (other, self)] {
            if factor.is(0.0) || factor.is(1.0) || factor.is(-1.0) {
                return Counted { value: factor.value * rest.value, is_given: factor.value == 0.0 || rest.is_given };
            }
        }
        count("multiplications");
        plain(self.value * other.value)
    }
}

impl Div for Counted {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        count("divisions");
        plain(self.value / other.value)
    }
}

impl Rem for Counted {
    type Output = Self;
    fn rem(self, other: Self) -> Self {
        plain(self.value % other.value)
    }
}

macro_rules! assigning {
    ($($operation:ident $name:ident $sign:tt;)*) => {$(
        impl $operation for Counted {
            fn $name(&mut self, other: Self) {
                *self = *self $sign other;
            }
        }
    )*};
}

assigning! { AddAssign add_assign +; SubAssign sub_assign -; MulAssign mul_assign *; DivAssign div_assign /; RemAssign rem_assign %; }

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        if !self.is_given && !other.is_given {
            count("comparisons");
        }
        self.value == other.value
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        count("comparisons");
        self.value.partial_cmp(&other.value)
    }
}

impl Zero for Counted {
    fn zero() -> Self {
        given(0.0)
    }
    fn is_zero(&self) -> bool {
        self.value == 0.0
    }
}

impl One for Counted {
    fn one() -> Self {
        given(1.0)
    }
}

impl Num for Counted {
    type FromStrRadixErr = std::num::ParseFloatError;
    fn from_str_radix(text: &str, _: u32) -> Result<Self, Self::FromStrRadixErr> {
        text.parse().map(plain)
    }
}

impl ToPrimitive for Counted {
    fn to_i64(&self) -> Option<i64> {
        self.value.to_i64()
    }
    fn to_u64(&self) -> Option<u64> {
        self.value.to_u64()
    }
    fn to_f64(&self) -> Option<f64> {
        Some(self.value)
    }
}

impl NumCast for Counted {
    fn from<T: ToPrimitive>(number: T) -> Option<Self> {
        number.to_f64().map(given)
    }
}

macro_rules! printed {
    ($($how:ident)*) => {$(
        impl fmt::$how for Counted {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::$how::fmt(&self.value, f)
            }
        }
    )*};
}

printed! { Display LowerExp UpperExp }

impl ScalarOperand for Counted {}
impl NdFloat for Counted {}
impl sealed::Sealed for Counted {}

impl Scalar for Counted {
    fn from_f64(value: f64) -> Self {
        given(value)
    }
    fn into_f64(self) -> f64 {
        self.value
    }
    fn erf(self) -> Self {
        count("erf");
        plain(libm::erf(self.value))
    }
}

macro_rules! float {
    (constants $($constant:ident)*; functions $($function:ident $name:literal)*; others $($other:ident)*; questions $($question:ident)*;) => {
        impl Float for Counted {
            $(fn $constant() -> Self {
                plain(<f64 as Float>::$constant())
            })*
            $(fn $function(self) -> Self {
                count($name);
                plain(Float::$function(self.value))
            })*
            $(fn $other(self) -> Self {
                plain(Float::$other(self.value))
            })*
            $(fn $question(self) -> bool {
                Float::$question(self.value)
            })*
            fn classify(self) -> FpCategory {
                self.value.classify()
            }
            fn mul_add(self, a: Self, b: Self) -> Self {
                self * a + b
            }
            fn powi(self, exponent: i32) -> Self {
                for _ in 1..exponent.abs() {
                    count("multiplications");
                }
                plain(self.value.powi(exponent))
            }
            fn powf(self, exponent: Self) -> Self {
                count("pow");
                plain(self.value.powf(exponent.value))
            }
            fn log(self, base: Self) -> Self {
                plain(self.value.log(base.value))
            }
            fn max(self, other: Self) -> Self {
                plain(self.value.max(other.value))
            }
            fn min(self, other: Self) -> Self {
                plain(self.value.min(other.value))
            }
            fn abs_sub(self, other: Self) -> Self {
                plain((self.value - other.value).max(0.0))
            }
            fn hypot(self, other: Self) -> Self {
                plain(self.value.hypot(other.value))
            }
            fn atan2(self, other: Self) -> Self {
                plain(self.value.atan2(other.value))
            }
            fn sin_cos(self) -> (Self, Self) {
                (self.sin(), self.cos())
            }
            fn integer_decode(self) -> (u64, i16, i8) {
                Float::integer_decode(self.value)
            }
        }
    };
}

float! {
    constants nan infinity neg_infinity neg_zero min_value min_positive_value max_value;
    functions exp "exp" ln "ln" ln_1p "log1p" exp_m1 "expm1" sqrt "sqrt" sin "sin" cos "cos" tan "tan" tanh "tanh" atan "atan" floor "floor" abs "abs";
    others ceil round trunc fract signum recip exp2 log2 log10 cbrt asin acos sinh cosh asinh acosh atanh;
    questions is_nan is_infinite is_finite is_normal is_sign_positive is_sign_negative;
}

/// The examples of a minibatch.
const EXAMPLES: i128 = 2;

/// Nets on which both engines compute in the same way.
const NETS: [&str; 3] = [
    "input x[5]\ntarget t[3]\ny = x |> dense(4) |> sigmoid |> dense(3)\nloss squared_error(y, t)\noptimizer sgd(0.1)",
    "input x[5]\ntarget t[3]\ny = x |> dense(12, bias = false) |> tanh |> dense(3)\nloss squared_error(y, t)\nregularizer l2(0.1)\noptimizer sgd(0.1)",
    "input x[20]\ntarget t[2]\ny = x |> dense(9) |> sigmoid |> dense(7) |> tanh |> dense(2)\nloss squared_error(y, t)\noptimizer sgd(0.1)",
];

fn array(derivation: &Derivation, tensor: TensorId, is_data: bool) -> (String, ArrayD<Counted>) {
    let described = derivation.model.context.tensor(tensor);
    let shape: Vec<usize> = is_data.then_some(EXAMPLES as usize).into_iter().chain(described.shape.iter().copied()).collect();
    (described.name.clone(), ArrayD::from_elem(IxDyn(&shape), plain(0.3)))
}

fn as_numbers(count: &Count) -> BTreeMap<String, i128> {
    count.operations().map(|(operation, number)| (operation.name().to_owned(), number.value())).collect()
}

fn counted() -> BTreeMap<String, i128> {
    TALLY.take().into_iter().map(|(operation, number)| (operation.to_owned(), number)).collect()
}

/// A pass so many times.
fn add_times(total: &mut BTreeMap<String, i128>, cost: &Cost, kind: PassKind, times: i128) {
    for (operation, number) in as_numbers(&cost.pass(kind).expect("a pass").total()) {
        *total.entry(operation).or_insert(0) += times * number;
    }
}

#[test]
fn the_interpreter_does_the_operations_that_are_counted() {
    for text in NETS {
        let derivation = compile("net.spec", text).expect("the spec is right").derivation;
        let cost = Cost::new(&derivation, ScalarType::F64);
        let model = &derivation.model;
        let engine = Engine::<Counted>::new(&derivation).expect("a plan");
        let data = model.inputs.iter().chain(&model.targets).map(|&tensor| array(&derivation, tensor, true));
        let batch = engine.batch(data.map(|(name, array)| (name, Values::Numbers(array)))).expect("data");
        let parameters = model.parameters.iter().map(|parameter| array(&derivation, parameter.tensor, false));
        let mut parameters = engine.parameters(parameters).expect("parameters");
        TALLY.take();
        engine.forward(&parameters, &batch).expect("a forward pass");
        let mut total = BTreeMap::new();
        add_times(&mut total, &cost, PassKind::Forward, EXAMPLES);
        assert_eq!(counted(), total, "{text}\nforward: what the interpreter does, and what cost says");
        engine.train(&mut parameters, &mut engine.state(), &batch).expect("an update");
        add_times(&mut total, &cost, PassKind::Backward, EXAMPLES);
        add_times(&mut total, &cost, PassKind::Accumulate, EXAMPLES - 1);
        add_times(&mut total, &cost, PassKind::Update, 1);
        // It divides by the number of examples for the mean loss, and for each parameter instead of once.
        *total.entry("additions".to_owned()).or_insert(0) += EXAMPLES - 1;
        *total.entry("divisions".to_owned()).or_insert(0) += model.parameters.len() as i128;
        // Of a parameter without a regularizer, the code multiplies the sum over the examples by the product of the rate and the reciprocal of
        // their number, which is computed once; the interpreter has the mean first.
        let is_mean = |gradient: &&crate::derivation::Gradient| {
            !model.context.tensors_in(gradient.equation.computed).contains(&gradient.parameter)
        };
        let means = derivation.gradient.iter().filter(is_mean);
        let scalars: usize = means.map(|gradient| model.context.tensor(gradient.parameter).size()).sum();
        *total.entry("multiplications".to_owned()).or_insert(0) += scalars as i128 - 1;
        assert_eq!(counted(), total, "{text}\ntraining: what the interpreter does, and what cost says");
    }
}
