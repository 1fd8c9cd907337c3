// Shared by the Rust peers (with `include!`): reads the file of a workload, times a step, prints RESULT lines.
pub const NB: usize = 16;
pub const LR: f64 = 0.01;
#[derive(Clone, Copy, PartialEq)]
pub enum Act {
    Relu,
    Tanh,
    Sigm,
}
#[derive(Clone, Copy, PartialEq)]
pub enum Loss {
    Ce,
    Bce,
    Mse,
}
pub struct Spec {
    pub name: &'static str,
    pub b: usize,
    pub l: &'static [usize],
    pub act: Act,
    pub loss: Loss,
}
pub const SPECS: &[Spec] = &[
    Spec { name: "w1_b1", b: 1, l: &[2, 2, 1], act: Act::Sigm, loss: Loss::Bce },
    Spec { name: "w2_b1", b: 1, l: &[4, 16, 3], act: Act::Tanh, loss: Loss::Ce },
    Spec { name: "w2_b32", b: 32, l: &[4, 16, 3], act: Act::Tanh, loss: Loss::Ce },
    Spec { name: "w3_b1", b: 1, l: &[64, 32, 10], act: Act::Relu, loss: Loss::Ce },
    Spec { name: "w3_b32", b: 32, l: &[64, 32, 10], act: Act::Relu, loss: Loss::Ce },
    Spec { name: "w4_b1", b: 1, l: &[784, 128, 10], act: Act::Relu, loss: Loss::Ce },
    Spec { name: "w4_b32", b: 32, l: &[784, 128, 10], act: Act::Relu, loss: Loss::Ce },
    Spec { name: "w4_b128", b: 128, l: &[784, 128, 10], act: Act::Relu, loss: Loss::Ce },
    Spec { name: "w5_b128", b: 128, l: &[784, 256, 128, 10], act: Act::Relu, loss: Loss::Ce },
    Spec { name: "w7_b1", b: 1, l: &[32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 32, 1], act: Act::Tanh, loss: Loss::Mse },
    Spec { name: "w6_b16", b: 16, l: &[784, 10], act: Act::Relu, loss: Loss::Ce },
];
pub struct Data {
    pub x: Vec<Vec<f32>>,
    pub y: Vec<Vec<f32>>,
    pub p: Vec<(Vec<usize>, Vec<f32>, Vec<f32>)>,
}
pub fn load(dir: &str, s: &Spec) -> Data {
    let raw = std::fs::read(format!("{dir}/{}.bin", s.name)).expect("data file");
    let f: Vec<f32> = raw.chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect();
    let mut at = 0;
    let mut take = |n: usize| {
        let r = f[at..at + n].to_vec();
        at += n;
        r
    };
    let (i, o) = (s.l[0], *s.l.last().unwrap());
    let x = (0..NB).map(|_| take(s.b * i)).collect();
    let y = (0..NB).map(|_| take(s.b * o)).collect();
    let shapes: Vec<Vec<usize>> = if s.name == "w6_b16" {
        vec![vec![5, 5, 1, 16], vec![5, 5, 16, 16], vec![784, 64], vec![64, 10]]
    } else {
        s.l.windows(2).map(|w| w.to_vec()).collect()
    };
    let p = shapes
        .into_iter()
        .map(|sh| {
            let w = take(sh.iter().product());
            let b = take(*sh.last().unwrap());
            (sh, w, b)
        })
        .collect();
    Data { x, y, p }
}
/// [kh,kw,ci,co] -> [co,ci,kh,kw]
#[allow(dead_code)]
pub fn oihw(sh: &[usize], w: &[f32]) -> Vec<f32> {
    let (h, wd, ci, co) = (sh[0], sh[1], sh[2], sh[3]);
    let mut r = vec![0.0; w.len()];
    for a in 0..h {
        for b in 0..wd {
            for i in 0..ci {
                for o in 0..co {
                    r[((o * ci + i) * h + a) * wd + b] = w[((a * wd + b) * ci + i) * co + o];
                }
            }
        }
    }
    r
}
/// rows of the first dense layer from NHWC-flatten order to NCHW-flatten order
#[allow(dead_code)]
pub fn nchw_rows(w: &[f32]) -> Vec<f32> {
    let mut r = vec![0.0; w.len()];
    for s in 0..49 {
        for c in 0..16 {
            let (a, b) = ((s * 16 + c) * 64, (c * 49 + s) * 64);
            r[b..b + 64].copy_from_slice(&w[a..a + 64]);
        }
    }
    r
}
/// step(k) trains on batch k; loss() returns the loss of the last step (called outside the timed loop)
#[allow(dead_code)]
pub fn timed(peer: &str, name: &str, mut step: impl FnMut(usize)) {
    use std::time::Instant;
    let mut it = 64usize;
    let mut n = 16usize;
    loop {
        let s = Instant::now();
        for _ in 0..n {
            step(it & 15);
            it += 1;
        }
        if s.elapsed().as_secs_f64() > 0.06 {
            break;
        }
        n *= 2;
    }
    let mut r: Vec<f64> = (0..7)
        .map(|_| {
            let s = Instant::now();
            for _ in 0..n {
                step(it & 15);
                it += 1;
            }
            s.elapsed().as_secs_f64() / n as f64 * 1e6
        })
        .collect();
    r.sort_by(f64::total_cmp);
    println!("RESULT {peer} {name} {:.5} {:.5}", r[3], r[0]);
}
pub fn rss(peer: &str) {
    if let Ok(s) = std::fs::read_to_string("/proc/self/status") {
        if let Some(l) = s.lines().find(|l| l.starts_with("VmHWM")) {
            let k: f64 = l.split_whitespace().nth(1).unwrap().parse().unwrap();
            println!("RSS {peer} {:.1} MiB", k / 1024.0);
        }
    }
}
