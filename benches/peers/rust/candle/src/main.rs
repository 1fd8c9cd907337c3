// usage: candle-peer candle DATADIR [workload...]
include!("../../common.rs");
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{loss, ops, Conv2d, Conv2dConfig, Linear, Module, Optimizer, SGD};
fn main() -> candle_core::Result<()> {
    let a: Vec<String> = std::env::args().collect();
    let peer = a[1].clone();
    let dev = Device::Cpu;
    for s in SPECS {
        if a.len() > 3 && !a[3..].iter().any(|w| w == s.name) {
            continue;
        }
        let d = load(&a[2], s);
        let (mut conv, mut lin, mut vars) = (vec![], vec![], vec![]);
        for (k, (sh, w, b)) in d.p.iter().enumerate() {
            let bv = Var::from_tensor(&Tensor::from_vec(b.clone(), sh[sh.len() - 1], &dev)?)?;
            let wv = if sh.len() == 4 {
                Var::from_tensor(&Tensor::from_vec(oihw(sh, w), (sh[3], sh[2], 5, 5), &dev)?)?
            } else {
                let w = if s.name == "w6_b16" && k == 2 { nchw_rows(w) } else { w.clone() };
                Var::from_tensor(&Tensor::from_vec(w, (sh[0], sh[1]), &dev)?.t()?.contiguous()?)?
            };
            if sh.len() == 4 {
                conv.push(Conv2d::new(
                    wv.as_tensor().clone(),
                    Some(bv.as_tensor().clone()),
                    Conv2dConfig { padding: 2, stride: 2, ..Default::default() },
                ));
            } else {
                lin.push(Linear::new(wv.as_tensor().clone(), Some(bv.as_tensor().clone())));
            }
            vars.push(wv);
            vars.push(bv);
        }
        let mut opt = SGD::new(vars, LR)?;
        let o = *s.l.last().unwrap();
        let xs: Vec<Tensor> = d.x.iter().map(|v| Tensor::from_vec(v.clone(), (s.b, s.l[0]), &dev)).collect::<Result<_, _>>()?;
        let yf: Vec<Tensor> = d.y.iter().map(|v| Tensor::from_vec(v.clone(), (s.b, o), &dev)).collect::<Result<_, _>>()?;
        let yc: Vec<Tensor> =
            d.y.iter()
                .map(|v| {
                    Tensor::from_vec(
                        v.chunks(o).map(|r| r.iter().position(|&q| q == 1.0).unwrap_or(0) as u32).collect::<Vec<u32>>(),
                        s.b,
                        &dev,
                    )
                })
                .collect::<Result<_, _>>()?;
        let last = std::cell::RefCell::new(None::<Tensor>);
        let mut one = |k: usize| -> candle_core::Result<()> {
            let mut x = xs[k].clone();
            if !conv.is_empty() {
                x = x.reshape((16, 1, 28, 28))?;
                for c in &conv {
                    x = c.forward(&x)?.relu()?;
                }
                x = x.reshape((16, 784))?;
            }
            for (i, l) in lin.iter().enumerate() {
                x = l.forward(&x)?;
                if i + 1 < lin.len() {
                    x = match s.act {
                        Act::Relu => x.relu()?,
                        Act::Tanh => x.tanh()?,
                        Act::Sigm => ops::sigmoid(&x)?,
                    };
                }
            }
            let l = match s.loss {
                Loss::Ce => loss::cross_entropy(&x, &yc[k])?,
                Loss::Bce => loss::binary_cross_entropy_with_logit(&x, &yf[k])?,
                Loss::Mse => loss::mse(&x, &yf[k])?,
            };
            opt.backward_step(&l)?;
            *last.borrow_mut() = Some(l);
            Ok(())
        };
        let mut step = |k: usize| one(k).unwrap();
        for k in 0..64 {
            step(k & 15);
        }
        println!("CHECK {peer} {} {:.5}", s.name, last.borrow().as_ref().unwrap().to_dtype(DType::F32)?.to_scalar::<f32>()?);
        timed(&peer, s.name, &mut step);
    }
    rss(&peer);
    Ok(())
}
