//! A folder for one test, and the command run in it.

use deltarule_compiler::files::tensors::{NamedTensor, TensorFile, Values};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A net of one layer on labels, small enough to write its files by hand.
pub(crate) const SPEC: &str = "network Tiny
input  x[2]
target t: class[3]
y = x |> dense(3) |> softmax
loss cross_entropy(y, t)
regularizer l2(0.01)
optimizer sgd(rate = 0.1)
";

pub(crate) struct Workspace(tempfile::TempDir);

/// What a run left behind.
pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workspace {
    /// A folder with `net.spec`.
    pub(crate) fn new(spec: impl AsRef<[u8]>) -> Workspace {
        let workspace = Workspace(tempfile::tempdir().unwrap());
        workspace.write("net.spec", spec);
        workspace
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// Writes named tensors.
    pub(crate) fn write_tensors(&self, name: &str, tensors: &[(&str, &[usize], Values)]) {
        let tensor = |(name, shape, values): &(&str, &[usize], Values)| NamedTensor {
            name: (*name).to_owned(),
            shape: shape.to_vec(),
            values: values.clone(),
        };
        let file = TensorFile { tensors: tensors.iter().map(tensor).collect(), ..TensorFile::default() };
        file.write(&self.path(name)).unwrap();
    }

    /// The elements of a tensor in a file.
    pub(crate) fn tensor(&self, file: &str, name: &str) -> Vec<f64> {
        let file = TensorFile::read(&self.path(file)).unwrap();
        let names: Vec<&str> = file.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
        file.get(name).unwrap_or_else(|| panic!("no {name} among {names:?}")).values.to_f64()
    }

    /// The names of all files in the folder.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(self.0.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs the command in the folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_deltarule"));
        let output = command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap();
        Done {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the command, which must succeed; what it printed.
    pub(crate) fn succeed(&self, arguments: &[&str]) -> String {
        let done = self.run(arguments);
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
        done.stdout
    }

    /// Runs the command, which must fail with code 1, print nothing as a result, and leave the folder's files as they were; its message.
    pub(crate) fn fail(&self, arguments: &[&str]) -> String {
        let before = self.files();
        let done = self.run(arguments);
        assert_eq!(done.code, 1, "{arguments:?} printed: {}{}", done.stdout, done.stderr);
        assert_eq!(done.stdout, "", "{arguments:?}: {}", done.stderr);
        assert_eq!(self.files(), before, "{arguments:?}: {}", done.stderr);
        assert!(done.stderr.starts_with("error: "), "{arguments:?}: {}", done.stderr);
        done.stderr
    }
}

/// Parameters of [`SPEC`].
pub(crate) fn tiny_parameters() -> Vec<(&'static str, &'static [usize], Values)> {
    vec![
        ("dense1.w", &[2, 3], Values::F64(vec![0.1, -0.2, 0.3, 0.4, 0.5, -0.6])),
        ("dense1.b", &[3], Values::F64(vec![0.0, 0.1, -0.1])),
    ]
}

/// Two examples for [`SPEC`].
pub(crate) fn tiny_data() -> Vec<(&'static str, &'static [usize], Values)> {
    vec![("x", &[2, 2], Values::F64(vec![1.0, 2.0, -1.0, 0.5])), ("t", &[2], Values::Integers(vec![2, 0]))]
}
