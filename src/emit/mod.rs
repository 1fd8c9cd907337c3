//! Rust for one network: from equations to kernels (`plan`), from kernels to tokens (`tokens`).
//!
//! What is emitted has no allocation, no panic path, no `unsafe` of its own and no dependency but the runtime. Each kernel is a
//! function whose documentation names the equations that it computes by the numbers that the sheet prints.

mod access;
mod code;
mod footprint;
#[cfg(feature = "cli")]
mod interface;
mod layout;
mod names;
pub(crate) mod plan;
mod space;
mod tokens;

pub use footprint::{Footprint, Owner, Purpose, bytes_of_unit, over_budget};
#[cfg(feature = "cli")]
pub use interface::{ExampleType, Interface};
use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::derivation::Derivation;

/// The type of all numbers of a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScalarType {
    /// Single precision.
    #[default]
    F32,
    /// Double precision.
    F64,
}

impl ScalarType {
    /// The name of the type in Rust.
    pub fn name(self) -> &'static str {
        match self {
            ScalarType::F32 => "f32",
            ScalarType::F64 => "f64",
        }
    }

    /// The bytes of one number.
    pub fn bytes(self) -> usize {
        match self {
            ScalarType::F32 => 4,
            ScalarType::F64 => 8,
        }
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<ScalarType> {
        [ScalarType::F32, ScalarType::F64].into_iter().find(|scalar| scalar.name() == name)
    }
}

/// What the emitted code looks like from outside.
#[derive(Clone, Debug)]
pub struct EmitOptions {
    /// The name of the network's struct; other types begin with it.
    pub struct_name: Ident,
    /// The visibility of all types.
    pub visibility: TokenStream,
    /// What stands before the struct: documentation, lints.
    pub attributes: TokenStream,
    /// Whether [`Self::attributes`] document the struct; else a line is written for it.
    pub is_documented: bool,
    /// The type of all numbers.
    pub scalar: ScalarType,
    /// Where the runtime is found: `::deltarule`.
    pub runtime_path: TokenStream,
    /// How many examples of a minibatch are computed at once, if that is quicker. More need more scratch space; with 1, one follows the other.
    pub examples: usize,
}

/// How many examples are computed at once unless said otherwise.
pub const EXAMPLES: usize = 32;

impl EmitOptions {
    /// A public struct of that name over `f32`, and the runtime at `::deltarule`.
    pub fn new(struct_name: &str) -> Self {
        Self {
            struct_name: Ident::new(&names::ascii(struct_name), Span::call_site()),
            visibility: quote!(pub),
            attributes: TokenStream::new(),
            is_documented: false,
            scalar: ScalarType::default(),
            runtime_path: quote!(::deltarule),
            examples: EXAMPLES,
        }
    }
}

/// The code of a network.
pub fn emit(derivation: &Derivation, options: &EmitOptions) -> TokenStream {
    tokens::Emitter::new(derivation, options).tokens()
}

/// The code of a network as the text of a file, with a header that says which net it is.
///
/// # Errors
/// Never for a derivation of this library: only where what was emitted is not Rust.
#[cfg(feature = "cli")]
pub fn emit_file(derivation: &Derivation, options: &EmitOptions) -> Result<String, String> {
    let tokens = emit(derivation, options);
    let file = syn::parse2(tokens).map_err(|error| format!("the emitted code does not parse: {error}"))?;
    let name = &derivation.model.name;
    let version = env!("CARGO_PKG_VERSION");
    let header = format!(
        "// {name}: written by `deltarule emit` {version} of the net with hash {:016x}. Not to be edited.\n\
         // The numbers of equations are those of the update-rule sheet.\n\n",
        crate::identity::hash(&derivation.model)
    );
    Ok(header + &with_blank_lines(&prettyplease::unparse(&file)))
}

/// Puts an empty line before each documented item that follows a closing brace.
#[cfg(feature = "cli")]
fn with_blank_lines(code: &str) -> String {
    let mut result = String::with_capacity(code.len());
    let mut after_brace = false;
    for line in code.lines() {
        let start = line.trim_start();
        if after_brace && ["///", "#[", "impl", "fn", "pub", "const", "struct"].iter().any(|item| start.starts_with(item)) {
            result.push('\n');
        }
        after_brace = start == "}";
        result.push_str(line);
        result.push('\n');
    }
    result
}

#[cfg(test)]
mod fixture;

#[cfg(all(test, feature = "cli"))]
mod tests {
    use super::*;

    #[test]
    fn every_equation_of_a_net_is_named_by_its_number() {
        let derivation = fixture::digits();
        let code = emit_file(&derivation, &EmitOptions::new("Digits")).expect("emitted code parses");
        let forward = derivation.forward.iter().map(|equation| equation.number);
        let backward = derivation.backward.iter().filter(|adjoint| adjoint.is_computed).map(|adjoint| adjoint.equation.number);
        let updates =
            derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.equations).map(|equation| equation.number);
        for number in forward.chain(backward).chain(updates) {
            assert!(code.contains(&format!("/// ({number}) ")), "equation {number} is not named in\n{code}");
        }
    }

    #[test]
    fn fields_say_how_equations_write_them() {
        let code = emit_file(&fixture::digits(), &EmitOptions::new("Digits")).expect("emitted code parses");
        for line in [
            "/// `dense1.w`, of shape 64 × 32. In the equations: `w¹ᵢⱼ`.",
            "/// `dense1.w.v`, of shape 64 × 32. In the equations: `v¹_(w,ij)`.",
        ] {
            assert!(code.contains(line), "{line} is not in\n{code}");
        }
    }

    /// How many functions and tasks the code of so many equal layers has that compute equations.
    fn functions(layers: usize, width: usize) -> usize {
        let hidden = |at: usize| format!("h{at} = h{} |> dense({width}) |> tanh\n", at - 1);
        let spec = format!(
            "input x[{width}]\ntarget t[1]\nh0 = x\n{}y = h{layers} |> dense(1)\nloss squared_error(y, t)\noptimizer adam(0.01)\n",
            (1..=layers).map(hidden).collect::<String>()
        );
        let derivation = crate::pipeline::compile("equal.spec", &spec).expect("the spec is right").derivation;
        let options = EmitOptions::new("Equal");
        let emitter = tokens::Emitter::new(&derivation, &options);
        let names = emitter.plan.kernels.iter().map(|kernel| &emitter.plan.function_of(kernel).name);
        names.collect::<std::collections::BTreeSet<_>>().len()
    }

    #[test]
    fn equal_layers_share_functions() {
        let few = functions(10, 32);
        assert_eq!(functions(100, 32), few, "more layers take more functions");
        assert_eq!(functions(10, 64), few, "wider layers take more functions");
        assert!(few < 60, "{few} functions compute ten equal layers");
    }

    #[test]
    fn a_function_of_several_layers_says_which_they_are() {
        let spec = "input x[8]\ntarget t[8]\na = x |> dense(8) |> tanh\nb = a |> dense(8) |> tanh\ny = b |> dense(8)\n\
                    loss squared_error(y, t)\noptimizer sgd(0.1)\n";
        let derivation = crate::pipeline::compile("equal.spec", spec).expect("the spec is right").derivation;
        let code = emit_file(&derivation, &EmitOptions::new("Equal")).expect("emitted code parses");
        assert!(code.contains("/// The same for `b`."), "{code}");
        assert!(code.contains("/// The same for `dense2.s`, `y`."), "{code}");
    }

    #[test]
    fn what_several_loops_sum_up_stays_in_local_variables() {
        let spec = "input x[9, 9, 3]\ntarget t: class[2]\nh = x |> conv2d(4, 3) |> tanh |> conv2d(6, 3)\n\
                    y = h |> flatten |> dense(2) |> softmax\nloss cross_entropy(y, t)\noptimizer sgd(0.1)\n";
        let derivation = crate::pipeline::compile("windows.spec", spec).expect("the spec is right").derivation;
        let code = emit_file(&derivation, &EmitOptions::new("Windows")).expect("emitted code parses");
        // Rows over the channels that go out, forward and for the kernels; for the adjoint of what comes in, a sum over them.
        for (accumulators, kernels) in [("row: [f32; 4]", 2), ("row: [f32; 6]", 2), ("lanes: [f32; 6]", 1)] {
            let found = code.matches(&format!("let mut {accumulators}")).count();
            assert!(found >= kernels, "{accumulators} is in {found} kernels of\n{code}");
        }
    }
}
