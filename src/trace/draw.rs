//! A circuit as SVG, as lectures draw it: values above the wires, adjoints below.

use super::layout::{Layout, Place, Wire, arrange};
use super::text::digits;
use super::{Circuit, Gate, Operation, TraceError};
use crate::limits;
use std::fmt::Write;

/// The radius of a gate that holds a short sign.
const RADIUS: f64 = 15.0;

/// The width of a letter, on the average.
const LETTER: f64 = 6.8;

/// The height of a gate with its name below, and of what has no name.
const NAMED_HEIGHT: f64 = 58.0;
const HEIGHT: f64 = 40.0;

/// Significant digits of values and adjoints.
const DIGITS: usize = 3;

/// Colours in light and in dark surroundings; values and adjoints differ by more than their colour, by where they stand.
const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1c1c1c}\
.value{fill:#0a6b2d}.adjoint{fill:#b3261e}.name{font-style:italic}.sign{text-anchor:middle}\
.gate{fill:#eef3fb;stroke:#3b5b8c;stroke-width:1.3}.result{stroke-width:2.6}\
.wire{fill:none;stroke:#6b6b6b;stroke-width:1.2}.ground{fill:#ffffff}\
@media(prefers-color-scheme:dark){text{fill:#ececec}.value{fill:#7fd79b}.adjoint{fill:#ff9d94}\
.gate{fill:#22304a;stroke:#8fb0e6}.wire{stroke:#a8a8a8}.ground{fill:#161616}}";

impl Circuit {
    /// The drawing.
    ///
    /// # Errors
    /// Where there are more gates or wires than one can follow.
    pub fn to_svg(&self) -> Result<String, TraceError> {
        let notes: Vec<Note> = (0..self.gates.len()).map(|at| self.note(at)).collect();
        let result = self.name(self.result);
        let description =
            format!("{}. Values stand above the wires, the derivatives of {result} below. {}", self.summary(), given(self));
        draw(self, &notes, &format!("{} as a circuit", self.network), description.trim_end())
    }

    /// What stands at a gate: its value and its adjoint.
    fn note(&self, at: usize) -> Note {
        let gate = &self.gates[at];
        let is_number = matches!(gate.operation, Operation::Number(_)) && gate.name.is_none();
        let (value, adjoint) = (digits(gate.value, 6), digits(gate.adjoint, 6));
        Note {
            above: if is_number { String::new() } else { digits(gate.value, DIGITS) },
            below: (!is_number).then(|| digits(gate.adjoint, DIGITS)),
            title: format!("{} = {}: value {value}, adjoint {adjoint}", self.name(at), self.formula(at)),
        }
    }
}

/// What stands beside a gate.
pub(crate) struct Note {
    /// Above the wire behind it.
    pub(crate) above: String,
    /// Below the wire; nothing where there is nothing to differentiate by.
    pub(crate) below: Option<String>,
    /// For those who point at it, or do not see the drawing.
    pub(crate) title: String,
}

/// A circuit with a note at each gate.
///
/// # Errors
/// Where there are more gates or wires than one can follow.
pub(crate) fn draw(circuit: &Circuit, notes: &[Note], title: &str, description: &str) -> Result<String, TraceError> {
    let wires = circuit.gates.iter().map(|gate| gate.operands.len()).sum();
    if circuit.gates.len() > limits::DRAWN_GATES || wires > limits::DRAWN_WIRES {
        return Err(TraceError::TooLargeToDraw { gates: circuit.gates.len(), wires });
    }
    let shapes: Vec<Shape> = notes.iter().enumerate().map(|(at, note)| Shape::of(circuit, at, note)).collect();
    let layout = arrange(circuit, |at| (shapes[at].body + shapes[at].lead, shapes[at].height));
    Ok(picture(circuit, notes, &shapes, &layout, (title, description)))
}

/// A gate's body with the piece of wire behind it that carries its value and its adjoint.
struct Shape {
    /// What stands in the body.
    sign: String,
    /// What stands below it.
    name: Option<String>,
    is_round: bool,
    /// The widths of the body and of the wire behind it, and the height of all.
    body: f64,
    lead: f64,
    height: f64,
    value: String,
    /// None where there is nothing to differentiate by.
    adjoint: Option<String>,
}

impl Shape {
    fn of(circuit: &Circuit, at: usize, note: &Note) -> Shape {
        let gate = &circuit.gates[at];
        let own_name = matches!(gate.operation, Operation::Given | Operation::Equation(_));
        let sign = if own_name { circuit.name(at) } else { gate.operation.symbol() };
        let name = gate.name.clone().filter(|_| !own_name);
        let is_round = !gate.is_leaf() && text_width(&sign) <= 2.0 * RADIUS - 4.0;
        let body = match (is_round, gate.is_leaf()) {
            (true, _) => 2.0 * RADIUS,
            (false, true) => text_width(&sign) + 4.0,
            (false, false) => text_width(&sign) + 14.0,
        };
        let value = minus(&note.above);
        let adjoint = note.below.as_deref().map(minus);
        let widest = text_width(&value).max(adjoint.as_deref().map_or(0.0, text_width));
        let lead = (widest + 10.0).max(name.as_deref().map_or(0.0, text_width) - body);
        let height = if name.is_some() { NAMED_HEIGHT } else { HEIGHT };
        Shape { sign, name, is_round, body, lead, height, value, adjoint }
    }
}

fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER
}

/// With a real minus sign.
fn minus(number: &str) -> String {
    number.replace('-', "−")
}

fn picture(circuit: &Circuit, notes: &[Note], shapes: &[Shape], layout: &Layout, (title, description): (&str, &str)) -> String {
    let (width, height) = (layout.width.ceil(), layout.height.ceil());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title description\">\n\
         <title id=\"title\">{}</title>\n<desc id=\"description\">{}</desc>\n\
         <style>{STYLE}</style>\n<rect class=\"ground\" width=\"{width}\" height=\"{height}\"/>\n",
        escaped(title),
        escaped(description),
    );
    for wire in &layout.wires {
        if let (Some(from), Some(to)) = (layout.places[wire.from], layout.places[wire.to]) {
            let _ = writeln!(svg, "<path class=\"wire\" d=\"{}\"/>", path(&from, &to, wire, entry(wire, layout)));
        }
    }
    for (at, shape) in shapes.iter().enumerate() {
        if let Some(place) = layout.places[at] {
            draw_gate(&mut svg, (circuit, at), shape, &place, &notes[at].title);
        }
    }
    svg + "</svg>\n"
}

/// The values and adjoints of what is given, for those who do not see the drawing.
fn given(circuit: &Circuit) -> String {
    let of = |(at, gate): (usize, &Gate)| {
        let (value, adjoint) = (digits(gate.value, DIGITS), digits(gate.adjoint, DIGITS));
        (gate.operation == Operation::Given).then(|| format!("{} = {value}, derivative {adjoint}.", circuit.name(at)))
    };
    circuit.gates.iter().enumerate().filter_map(of).collect::<Vec<_>>().join(" ")
}

fn draw_gate(svg: &mut String, (circuit, at): (&Circuit, usize), shape: &Shape, place: &Place, title: &str) {
    let gate = &circuit.gates[at];
    let (left, right, y) = (place.left(), place.right(), place.y);
    let middle = left + shape.body / 2.0;
    let _ = write!(svg, "<g><title>{}</title>", escaped(title));
    let _ = write!(svg, "<path class=\"wire\" d=\"M{:.1} {y:.1}H{right:.1}\"/>", left + shape.body);
    let class = if at == circuit.result { "gate result" } else { "gate" };
    if shape.is_round {
        let _ = write!(svg, "<circle class=\"{class}\" cx=\"{middle:.1}\" cy=\"{y:.1}\" r=\"{RADIUS}\"/>");
    } else if !gate.is_leaf() {
        let (top, width, height) = (y - RADIUS, shape.body, 2.0 * RADIUS);
        let _ = write!(
            svg,
            "<rect class=\"{class}\" x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height}\" rx=\"9\"/>"
        );
    }
    let italic = if gate.operation == Operation::Given { " name" } else { "" };
    let mut text = |class: &str, x: f64, y: f64, text: &str| {
        let _ = write!(svg, "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escaped(text));
    };
    text(&format!("sign{italic}"), middle, y + 4.0, &shape.sign);
    if let Some(name) = &shape.name {
        text("name", left, y + RADIUS + 13.0, name);
    }
    let lead = left + shape.body + 5.0;
    text("value", lead, y - 4.0, &shape.value);
    if let Some(adjoint) = &shape.adjoint {
        text("adjoint", lead, y + 13.0, adjoint);
    }
    svg.push_str("</g>\n");
}

/// How far above or below its middle a gate is entered: wires in the order in which they come, a little apart.
fn entry(wire: &Wire, layout: &Layout) -> f64 {
    let height = |wire: &Wire| {
        let from = || layout.places[wire.from].map_or(0.0, |place| place.y);
        wire.through.last().map_or_else(from, |point| point.1)
    };
    let mut siblings: Vec<&Wire> = layout.wires.iter().filter(|other| other.to == wire.to).collect();
    siblings.sort_by(|a, b| height(a).total_cmp(&height(b)));
    let position = siblings.iter().position(|other| std::ptr::eq(*other, wire)).unwrap_or(0);
    let apart = (1.4 * RADIUS / siblings.len() as f64).min(8.0);
    (position as f64 - (siblings.len() as f64 - 1.0) / 2.0) * apart
}

/// A curve that leaves and enters horizontally.
fn path(from: &Place, to: &Place, wire: &Wire, entry: f64) -> String {
    // A round body is narrower above and below its middle.
    let inset = RADIUS - (RADIUS * RADIUS - entry * entry).max(0.0).sqrt();
    let end = (to.left() + inset, to.y + entry);
    let mut at = (from.right(), from.y);
    let mut path = format!("M{:.1} {:.1}", at.0, at.1);
    for next in wire.through.iter().copied().chain([end]) {
        let middle = f64::midpoint(at.0, next.0);
        let _ = write!(path, "C{middle:.1} {:.1} {middle:.1} {:.1} {:.1} {:.1}", at.1, next.1, next.0, next.1);
        at = next;
    }
    path
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            _ => escaped.push(letter),
        }
    }
    escaped
}
