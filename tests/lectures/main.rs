//! The gallery of `examples/lectures` against the notes it comes from: values, derivatives and formulas, lecture by lecture. Where the
//! notes are wrong, a test says what is right.
#![allow(missing_docs)]

mod circuits;
mod modules;
mod rules;
mod running;
mod sigmoidal;
mod threshold;
mod weighted;

use std::fs;
use std::path::Path;

/// Every spec of the gallery, as `000/threshold_slope_0`.
fn gallery() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/lectures");
    let mut specs = Vec::new();
    for lecture in ["000", "001", "002", "003", "004"] {
        for entry in fs::read_dir(folder.join(lecture)).expect("each lecture has a folder") {
            let name = entry.expect("the folder can be read").file_name().into_string().expect("names are ASCII");
            let name = name.strip_suffix(".spec").expect("there are only specs in it");
            specs.push(format!("{lecture}/{name}"));
        }
    }
    specs.sort();
    specs
}

#[test]
fn every_gradient_of_the_gallery_is_that_of_central_differences() {
    for name in gallery() {
        let lecture = running::Lecture::open(&name);
        let report = deltarule_compiler::generic::check_gradients(&lecture.derivation, 5).expect("the check runs");
        assert!(report.passes(), "{name}: {report}");
    }
}

#[test]
fn the_list_in_the_readme_names_every_spec_and_no_other() {
    let list =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/lectures/README.md")).expect("it is there");
    let listed: Vec<&str> =
        list.lines().filter_map(|line| line.strip_prefix("| `")?.split_once(".spec`")).map(|row| row.0).collect();
    assert_eq!(listed, gallery());
}
