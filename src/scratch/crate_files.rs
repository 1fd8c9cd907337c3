//! The files of a scratch crate: generated code, the driver around it, and what joins the two.

use super::{Folder, Runtime, ScratchError};
use crate::derivation::Derivation;
use crate::emit::{EmitOptions, ExampleType, Interface, ScalarType, emit_file};
use crate::files::write_whole;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

/// The name of the program that the crate builds.
pub(super) const PROGRAM: &str = "deltarule-scratch";

/// The name of the network's struct in it.
const NETWORK: &str = "Net";

/// The files that are the same for every net.
const DRIVER: [(&str, &str); 2] =
    [("main.rs", include_str!("driver_crate/main.rs")), ("flat.rs", include_str!("driver_crate/flat.rs"))];

const EVALUATE_LOSS: &str = include_str!("driver_crate/evaluate_loss.rs");
const EVALUATE_OBJECTIVE: &str = include_str!("driver_crate/evaluate_objective.rs");
const UPDATE_TRAINING: &str = include_str!("driver_crate/update_training.rs");
const UPDATE_NONE: &str = include_str!("driver_crate/update_none.rs");

/// Writes the crate of a net.
pub(super) fn write(folder: &Folder, derivation: &Derivation, scalar: ScalarType, runtime: &Runtime) -> Result<(), ScratchError> {
    let options = EmitOptions { scalar, ..EmitOptions::new(NETWORK) };
    let model = &derivation.model;
    let net = emit_file(derivation, &options).map_err(ScratchError::Process)?;
    let evaluate = if model.loss.is_some() { EVALUATE_LOSS } else { EVALUATE_OBJECTIVE };
    let update = if trains(derivation) { UPDATE_TRAINING } else { UPDATE_NONE };
    let generated = joint(derivation, &options).to_string();
    let specific = [("net.rs", net.as_str()), ("generated.rs", &generated), ("evaluate.rs", evaluate), ("update.rs", update)];
    for (name, text) in DRIVER.into_iter().chain(specific) {
        write_whole(&folder.path("src").join(name), text.as_bytes())?;
    }
    let manifest = format!(
        "[package]\nname = \"{PROGRAM}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n{}\n\n[workspace]\n",
        runtime.dependency()
    );
    write_whole(&folder.path("Cargo.toml"), manifest.as_bytes())?;
    if let Some(lock) = runtime.lock_file() {
        let failed = |error: std::io::Error| ScratchError::Process(format!("cannot copy {}: {error}", lock.display()));
        std::fs::copy(&lock, folder.path("Cargo.lock")).map_err(failed)?;
    }
    Ok(())
}

/// Whether the generated code of a net can train it.
pub(super) fn trains(derivation: &Derivation) -> bool {
    derivation.model.loss.is_some() && !derivation.model.optimizers.is_empty()
}

/// The types of the generated code by the names the driver knows them by.
fn joint(derivation: &Derivation, options: &EmitOptions) -> TokenStream {
    let model = &derivation.model;
    let interface = Interface::new(derivation, options);
    let scalar = format_ident!("{}", options.scalar.name());
    let network = &options.struct_name;
    let types = [("Values", true), ("Scratch", true), ("State", trains(derivation)), ("Gradient", model.objective.is_some())];
    let aliases = types.into_iter().filter(|(_, exists)| *exists).map(|(suffix, _)| {
        let (alias, name) = (format_ident!("{suffix}"), format_ident!("{network}{suffix}"));
        quote!(pub type #alias = crate::net::#name;)
    });
    let examples = [("Input", &interface.input), ("Target", &interface.target), ("Output", &interface.output)];
    let example_types = examples.map(|(alias, example)| {
        let (alias, of_type) = (format_ident!("{alias}"), &example.of_type);
        quote!(pub type #alias = #of_type;)
    });
    let all = [Some(&interface.input), Some(&interface.target), Some(&interface.output), interface.gradient.as_ref()];
    let structs = all.into_iter().flatten().filter_map(|example| match example {
        ExampleType { fields: Some(fields), of_type } => Some(quote!(crate::flat::flat_struct!(#of_type { #(#fields),* });)),
        ExampleType { fields: None, .. } => None,
    });
    let names = model.parameters.iter().map(|parameter| &model.context.tensor(parameter.tensor).name);
    quote! {
        #[allow(unused_imports)]
        use crate::net::*;
        pub use crate::net::#network;
        pub type Scalar = #scalar;
        pub const PARAMETERS: &[&str] = &[#(#names),*];
        #(#aliases)*
        #(#example_types)*
        #(#structs)*
    }
}
