//! Generated code on a number type that counts.

use deltarule_compiler::emit::{EmitOptions, emit};
use deltarule_compiler::pipeline::compile;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use std::collections::BTreeMap;
use std::process::Command;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, FnArg, Ident, Item, ItemFn, Lit, Pat, Stmt, Type};

/// For each net and pass, how many operations of each kind are done.
pub(crate) type Counts = BTreeMap<(String, String), BTreeMap<String, i128>>;

/// Builds the generated code of some nets with counting numbers, runs all passes of each, and gives what they counted.
pub(crate) fn run(nets: &[(&str, &str)]) -> Counts {
    let modules = nets.iter().map(|(name, text)| module(name, text));
    let calls = nets.iter().map(|(name, _)| {
        let module = quote::format_ident!("{name}");
        quote!(#module::run(#name);)
    });
    let code = quote!(#(#modules)* fn main() { #(#calls)* }).to_string();
    // Buffers that tensors share are those of the runtime, over counting numbers.
    let code = code.replace(":: deltarule :: __private :: memory", "memory");
    let shared = include_str!("../../runtime/src/shared.rs");
    let array = "unsafe impl ArrayOf<crate::Counted> for crate::Counted { const COUNT: usize = 1; }";
    let program = format!("{}\nmod memory {{ {shared}\n{array} }}\n{code}", include_str!("scalar.rs"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = folder.path().join("main.rs");
    let executable = folder.path().join("counting");
    std::fs::write(&source, program).expect("the program can be written");
    let compiler = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let built = Command::new(compiler).args(["--edition", "2024", "-A", "warnings", "-o"]).arg(&executable).arg(&source).output();
    let built = built.expect("rustc runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let ran = Command::new(&executable).output().expect("the program runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let mut counts = Counts::new();
    for line in String::from_utf8_lossy(&ran.stdout).lines() {
        let [net, pass, operation, number] = line.split_whitespace().collect::<Vec<_>>()[..] else { panic!("{line}") };
        let counts = counts.entry((net.to_owned(), pass.to_owned())).or_default();
        let number: i128 = number.parse().expect("a number");
        if number != 0 {
            counts.insert(operation.to_owned(), number);
        }
    }
    counts
}

/// A net's kernels and passes, and a function that runs them.
fn module(name: &str, text: &str) -> TokenStream {
    let compiled = compile(name, text).unwrap_or_else(|messages| panic!("{}", messages.render()));
    let file: syn::File = syn::parse2(emit(&compiled.derivation, &EmitOptions { examples: 1, ..EmitOptions::new("Net") }))
        .expect("emitted code parses");
    let mut items: Vec<Item> = Vec::new();
    for item in file.items {
        match item {
            Item::Struct(_) => items.push(item),
            Item::Const(constant) => {
                let Expr::Block(block) = *constant.expr else { continue };
                items.extend(block.block.stmts.into_iter().filter_map(|statement| match statement {
                    Stmt::Item(item) => is_counted(&item).then_some(item),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    let run = driver(&items);
    for item in &mut items {
        Counting.visit_item_mut(item);
    }
    let module = quote::format_ident!("{name}");
    quote!(pub mod #module { use super::*; #(#items)* #run })
}

/// Kernels, passes, and where gradients are summed up; not what needs the runtime.
fn is_counted(item: &Item) -> bool {
    match item {
        // It adds up losses, which no pass of `cost` does.
        Item::Fn(function) => function.sig.ident != "accumulate",
        Item::Struct(_) => true,
        Item::Impl(block) => block.trait_.is_none() && block.self_ty.to_token_stream().to_string().starts_with("Gradient"),
        _ => false,
    }
}

/// Runs the passes one after the other, the backward pass twice: what the second time takes more is adding up.
fn driver(items: &[Item]) -> TokenStream {
    let find = |name: &str| {
        items.iter().find_map(|item| match item {
            Item::Fn(function) if function.sig.ident == name => Some(function),
            _ => None,
        })
    };
    let call = |name: &str| find(name).map(call);
    let (outputs, loss, backward, update) =
        (call("forward_outputs"), call("forward_loss"), call("backward_example"), call("update"));
    // Only a net that has some says of which type it is.
    let has_noise = find("forward_outputs").is_some_and(|function| function.sig.to_token_stream().to_string().contains("noise"));
    let noise = has_noise.then(|| quote!(let mut noise = zero();));
    quote! {
        pub fn run(net: &str) {
            let mut parameters: Net = zero();
            let mut input = zero();
            let mut target = zero();
            #noise
            let mut values = zero();
            let mut work = zero();
            let mut sums = zero();
            let mut state = zero();
            let examples = 2_usize;
            let mut gradient = Gradient::in_scratch(&mut sums);
            #outputs; #loss;
            report(net, "forward");
            gradient.clear();
            #backward;
            report(net, "backward");
            #backward;
            report_more(net, "accumulate", "backward");
            #update;
            report(net, "update");
        }
    }
}

/// A call with variables that are called as the parameters are.
fn call(function: &ItemFn) -> TokenStream {
    let arguments = function.sig.inputs.iter().filter_map(|argument| {
        let FnArg::Typed(argument) = argument else { return None };
        let Pat::Ident(name) = &*argument.pat else { return None };
        let name = &name.ident;
        Some(match &*argument.ty {
            Type::Reference(reference) if reference.mutability.is_some() => quote!(&mut #name),
            Type::Reference(_) => quote!(&#name),
            _ => quote!(#name),
        })
    });
    let name = &function.sig.ident;
    quote!(#name(#(#arguments),*))
}

/// Puts counting numbers in the place of floating-point ones.
struct Counting;

impl VisitMut for Counting {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        visit_mut::visit_expr_mut(self, expr);
        match expr {
            Expr::Lit(literal) => {
                if let Lit::Float(number) = &literal.lit {
                    let number: f64 = number.base10_digits().parse().expect("a number");
                    *expr = parsed(quote!(number(#number)));
                }
            }
            Expr::Cast(cast) => {
                let (value, to) = (&cast.expr, cast.ty.to_token_stream().to_string());
                *expr = match to.as_str() {
                    "isize" => parsed(quote!(to_isize(#value))),
                    "usize" => parsed(quote!(to_usize(#value))),
                    _ => parsed(quote!(to_counted(#value))),
                };
            }
            // Where an element is set to 0, or all of them are, a sum starts.
            Expr::Assign(assign) => mark_start(&mut assign.right),
            Expr::MethodCall(call) if call.method == "fill" => call.args.iter_mut().for_each(mark_start),
            _ => {}
        }
    }

    fn visit_local_mut(&mut self, local: &mut syn::Local) {
        visit_mut::visit_local_mut(self, local);
        let is_accumulator = matches!(&local.pat, Pat::Type(_));
        if let Some(init) = local.init.as_mut().filter(|_| is_accumulator) {
            match &mut *init.expr {
                Expr::Repeat(repeat) => mark_start(&mut repeat.expr),
                expr => mark_start(expr),
            }
        }
    }

    fn visit_ident_mut(&mut self, ident: &mut Ident) {
        if ident == "f32" || ident == "f64" {
            *ident = Ident::new("Counted", ident.span());
        }
    }
}

/// Marks a number that an accumulator starts with.
fn mark_start(expr: &mut Expr) {
    if let Expr::Call(call) = expr
        && call.func.to_token_stream().to_string() == "number"
    {
        let value = &call.args;
        *expr = parsed(quote!(start(#value)));
    }
}

fn parsed(tokens: TokenStream) -> Expr {
    syn::parse2(tokens).expect("an expression")
}
