//! Where gates and wires of a drawing lie: the layers, their order and the coordinates are those of dagre.

use super::Circuit;
use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankDir};

/// Space between gates above each other, between wires, and between columns.
const GAP: f64 = 14.0;
const WIRE_GAP: f64 = 12.0;
const COLUMN_GAP: f64 = 34.0;

/// Space around the drawing.
const MARGIN: f64 = 14.0;

/// The middle of a box, and its size.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Place {
    pub(super) fn left(&self) -> f64 {
        self.x - self.width / 2.0
    }

    pub(super) fn right(&self) -> f64 {
        self.x + self.width / 2.0
    }
}

/// A wire from one gate to another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wire {
    pub(super) from: usize,
    pub(super) to: usize,
    /// Where it passes on the way, through the columns between.
    pub(super) through: Vec<(f64, f64)>,
}

/// A circuit in the plane.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// For each gate its place; `None` for a value that nothing reads and nothing gave.
    pub(super) places: Vec<Option<Place>>,
    pub(super) wires: Vec<Wire>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// Arranges a circuit from left to right, each gate in a box of the size that `size` says.
pub(super) fn arrange(circuit: &Circuit, size: impl Fn(usize) -> (f64, f64)) -> Layout {
    let mut graph: Graph<NodeLabel, EdgeLabel> =
        Graph::with_options(GraphOptions { directed: true, multigraph: true, compound: false });
    let mut used = vec![false; circuit.gates.len()];
    used[circuit.result] = true;
    for (at, gate) in circuit.gates.iter().enumerate() {
        used[at] |= !gate.is_leaf();
        gate.operands.iter().for_each(|&operand| used[operand] = true);
    }
    for at in (0..used.len()).filter(|&at| used[at]) {
        let (width, height) = size(at);
        graph.set_node(at.to_string(), Some(NodeLabel { width, height, ..NodeLabel::default() }));
    }
    let ends: Vec<(usize, usize)> =
        circuit.gates.iter().enumerate().flat_map(|(to, gate)| gate.operands.iter().map(move |&from| (from, to))).collect();
    for (wire, (from, to)) in ends.iter().enumerate() {
        graph.set_edge(from.to_string(), to.to_string(), Some(EdgeLabel::default()), Some(&wire.to_string()));
    }
    let options = LayoutOptions {
        rankdir: RankDir::LR,
        nodesep: GAP,
        edgesep: WIRE_GAP,
        ranksep: COLUMN_GAP,
        marginx: MARGIN,
        marginy: MARGIN,
        ..LayoutOptions::default()
    };
    dagre::layout(&mut graph, Some(options));
    let place = |at: usize| {
        let node = graph.node(&at.to_string())?;
        Some(Place { x: node.x?, y: node.y?, width: node.width, height: node.height })
    };
    let places: Vec<Option<Place>> = (0..circuit.gates.len()).map(place).collect();
    let wires: Vec<Wire> = ends
        .into_iter()
        .enumerate()
        .map(|(wire, (from, to))| {
            let points = graph.edge(&from.to_string(), &to.to_string(), Some(&wire.to_string()));
            let points: Vec<(f64, f64)> =
                points.map_or_else(Vec::new, |edge| edge.points.iter().map(|point| (point.x, point.y)).collect());
            // The first and the last lie on the two boxes, those beside them in the gaps, where a curve needs no guidance.
            let inner = points.len().saturating_sub(4);
            Wire { from, to, through: points.into_iter().skip(2).take(inner).collect() }
        })
        .collect();
    let reach = |edge: &dyn Fn(&Place) -> f64| places.iter().flatten().map(edge).fold(0.0, f64::max) + MARGIN;
    let (width, height) = (reach(&Place::right), reach(&|place| place.y + place.height / 2.0));
    Layout { places, wires, width, height }
}
