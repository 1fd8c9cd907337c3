// usage: burn-peer flex|ndarray DATADIR [workload...]
include!("../../common.rs");
use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{activation, Device, Int, Tensor, TensorData};

#[derive(Module, Debug)]
struct Net {
    conv: Vec<Conv2d>,
    lin: Vec<Linear>,
}

fn act(a: Act, x: Tensor<2>) -> Tensor<2> {
    match a {
        Act::Relu => activation::relu(x),
        Act::Tanh => activation::tanh(x),
        Act::Sigm => activation::sigmoid(x),
    }
}
fn forward(net: &Net, s: &Spec, x: Tensor<2>) -> Tensor<2> {
    let mut x = if net.conv.is_empty() {
        x
    } else {
        let mut h = x.reshape([16, 1, 28, 28]);
        for c in &net.conv {
            h = activation::relu(c.forward(h));
        }
        h.reshape([16, 784])
    };
    for (i, l) in net.lin.iter().enumerate() {
        x = l.forward(x);
        if i + 1 < net.lin.len() {
            x = act(s.act, x);
        }
    }
    x
}
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let peer = format!("burn-{}", a[1]);
    let base = match a[1].as_str() {
        "flex" => Device::flex(),
        "ndarray" => Device::ndarray(),
        _ => panic!(),
    };
    let dev = base.autodiff();
    for s in SPECS {
        if a.len() > 3 && !a[3..].iter().any(|w| w == s.name) {
            continue;
        }
        let d = load(&a[2], s);
        let (mut conv, mut lin) = (vec![], vec![]);
        for (k, (sh, w, b)) in d.p.iter().enumerate() {
            if sh.len() == 4 {
                let mut c = Conv2dConfig::new([sh[2], sh[3]], [5, 5])
                    .with_stride([2, 2])
                    .with_padding(PaddingConfig2d::Explicit(2, 2, 2, 2))
                    .init(&dev);
                c.weight = Param::from_data(TensorData::new(oihw(sh, w), [sh[3], sh[2], 5, 5]), &dev);
                c.bias = Some(Param::from_data(TensorData::new(b.clone(), [sh[3]]), &dev));
                conv.push(c);
            } else {
                let mut l = LinearConfig::new(sh[0], sh[1]).init(&dev);
                let w = if s.name == "w6_b16" && k == 2 { nchw_rows(w) } else { w.clone() };
                l.weight = Param::from_data(TensorData::new(w, [sh[0], sh[1]]), &dev);
                l.bias = Some(Param::from_data(TensorData::new(b.clone(), [sh[1]]), &dev));
                lin.push(l);
            }
        }
        let mut net = Some(Net { conv, lin });
        let mut opt = SgdConfig::new().init();
        let o = *s.l.last().unwrap();
        let xs: Vec<Tensor<2>> = d.x.iter().map(|v| Tensor::from_data(TensorData::new(v.clone(), [s.b, s.l[0]]), &dev)).collect();
        let yf: Vec<Tensor<2>> = d.y.iter().map(|v| Tensor::from_data(TensorData::new(v.clone(), [s.b, o]), &dev)).collect();
        let yc: Vec<Tensor<1, Int>> =
            d.y.iter()
                .map(|v| {
                    Tensor::from_data(
                        TensorData::new(
                            v.chunks(o).map(|r| r.iter().position(|&q| q == 1.0).unwrap_or(0) as i32).collect::<Vec<i32>>(),
                            [s.b],
                        ),
                        &dev,
                    )
                })
                .collect();
        let yi: Vec<Tensor<2, Int>> =
            d.y.iter()
                .map(|v| Tensor::from_data(TensorData::new(v.iter().map(|&q| q as i32).collect::<Vec<i32>>(), [s.b, o]), &dev))
                .collect();
        let ce = CrossEntropyLossConfig::new().init(&dev);
        let bce = BinaryCrossEntropyLossConfig::new().with_logits(true).init(&dev);
        let mse = MseLoss::new();
        let last = std::cell::RefCell::new(None::<Tensor<1>>);
        let mut step = |k: usize| {
            let m = net.take().unwrap();
            let z = forward(&m, s, xs[k].clone());
            let l = match s.loss {
                Loss::Ce => ce.forward(z, yc[k].clone()),
                Loss::Bce => bce.forward(z, yi[k].clone()),
                Loss::Mse => mse.forward(z, yf[k].clone(), Reduction::Mean),
            };
            let g = GradientsParams::from_grads(l.backward(), &m);
            net = Some(opt.step(LR, m, g));
            *last.borrow_mut() = Some(l);
        };
        for k in 0..64 {
            step(k & 15);
        }
        println!("CHECK {peer} {} {:.5}", s.name, last.borrow_mut().take().unwrap().into_scalar::<f32>());
        timed(&peer, s.name, &mut step);
    }
    rss(&peer);
}
