//! Every bound of the compiler, each a documented constant with a test at it and one past it.
//!
//! A spec may come from anyone: no text makes the compiler run without bound, overflow its stack or fill the memory.

/// Bytes of the text of a spec.
pub const SOURCE_BYTES: usize = 1 << 20;

/// Bytes of a data or parameter file, before and after decompression.
pub const DATA_BYTES: u64 = 4 << 30;
/// How often the simplifier may rewrite one right-hand side. Each rewrite is a step that a sheet may print.
pub const REWRITE_STEPS: usize = 64;

/// The most terms that a product of sums is expanded to when the simplifier looks for something to cancel.
pub const EXPANDED_TERMS: usize = 64;

/// Brackets (and block comments) inside each other.
pub const NESTING: usize = 64;

/// Levels of one statement's expressions: brackets inside each other, plus the operators in a row on the way down,
/// for a row of operators is a tree as deep as the row is long. Recursive passes and `Drop` live with this on a small stack.
pub const EXPRESSION_DEPTH: usize = 128;

/// Messages about one file's syntax; what follows is not looked at.
pub const SYNTAX_MESSAGES: usize = 100;

/// Messages drawn in full; the others are only counted.
pub const DRAWN_MESSAGES: usize = 30;

/// Columns of a source line that a message shows.
pub const DRAWN_COLUMNS: usize = 120;

/// Letters of a name that is compared with others to find what was meant.
pub const COMPARED_LETTERS: usize = 64;
/// Numbers of one array that the generic engine makes while it computes an equation, for one example.
pub const INTERMEDIATE_ELEMENTS: usize = 1 << 26;

/// Extent of one axis of a tensor.
pub const AXIS_EXTENT: usize = 1 << 24;

/// Axes of a tensor.
pub const AXES: usize = 8;

/// Scalars of one tensor.
pub const TENSOR_ELEMENTS: usize = 1 << 28;

/// Scalars of all parameters together.
pub const PARAMETERS: usize = 1 << 28;

/// Forward equations of a network, and its parameters.
pub const EQUATIONS: usize = 10_000;

/// Different expressions of a model, before anything is derived from it.
pub const EXPRESSIONS: usize = 1_000_000;

/// Parts of one right-hand side, when the calls in it are written out and no part is shared.
pub const EXPRESSION_SIZE: u64 = 20_000;

/// Definitions that call each other, from the outermost to the innermost.
pub const EXPANSION_DEPTH: usize = 32;

/// Calls of definitions that one spec expands.
pub const EXPANSIONS: usize = 50_000;

/// Levels of expressions inside each other, through the bodies of what they call.
pub const ELABORATION_DEPTH: usize = 256;

/// Statements of a spec, each declared input and target counted by itself.
pub const STATEMENTS: usize = 10_000;

/// Parameters of a definition.
pub const FORMALS: usize = 64;

/// Parts of an expression that are looked at to find the number that it is.
pub const EVALUATIONS: u64 = 1_000_000;

/// Messages about the meaning of a spec; no more are looked for.
pub const MODEL_MESSAGES: usize = 100;

/// Operations of a circuit, leaves included, that `trace` shows one by one; of a larger net it shows elements of tensors.
pub const CIRCUIT_OPERATIONS: usize = 1_000;

/// Elements of tensors that `trace` shows one by one.
pub const CIRCUIT_ELEMENTS: usize = 10_000;

/// Parts of expressions that are looked at, at all values of their indices, to find the gates of a circuit.
pub const CIRCUIT_STEPS: usize = 5_000_000;

/// Gates of a drawn circuit.
pub const DRAWN_GATES: usize = 400;

/// Wires of a drawn circuit.
pub const DRAWN_WIRES: usize = 1_600;

/// Files that include each other, from the spec to the innermost, the spec not counted.
pub const INCLUDE_DEPTH: usize = 16;

/// Files that a spec includes.
pub const INCLUDED_FILES: usize = 64;

/// Places of loops with bounds that depend on each other that are gone through to count operations; past it a count is an upper bound.
pub const COUNTED_PLACES: usize = 2_000_000;

/// Numbers of a Jacobian, rows times columns.
pub const JACOBIAN_NUMBERS: usize = 1 << 22;
/// Elements on the ways from one to the loss that `explain` shows.
pub const EXPLAINED_ELEMENTS: usize = 400;

/// Pairs of elements that are looked at to find those ways.
pub const EXPLAINED_PLACES: usize = 200_000;

/// Elements of tensors that are computed for a worked example.
pub const WORKED_ELEMENTS: usize = 20_000;
/// Examples that generated code computes at once.
pub const EXAMPLES_AT_ONCE: usize = 1024;
