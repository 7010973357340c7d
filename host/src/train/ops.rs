//! Operations with a way back of their own: one pass over memory where a composition of tensor operations makes five to ten.
//!
//! | operation | forward | backward |
//! |---|---|---|
//! | [`pointwise`] | y = f(x) | dx = dy · f'(x), f' kept from the forward pass |
//! | [`layer_norm`] | γ x̂ + β | Ba, Kiros, Hinton 2016 |
//!
//! All take tensors of the autodiff Flex device and register with burn's graph like any of its own operations.
//!
//! ```
//! use astromorph_host::train::ops;
//! use burn::tensor::Tensor;
//! let x = Tensor::<1>::from_floats([1.0, -2.0], &ops::device()).require_grad();
//! let y = ops::pointwise(x.clone(), |x, y, d| for i in 0..x.len() { y[i] = x[i] * x[i]; d[i] = 2.0 * x[i]; });
//! let g = x.grad(&y.sum().backward()).unwrap();
//! assert_eq!(g.into_data().to_vec::<f32>().unwrap(), [2.0, -4.0]);
//! ```

use super::kernels;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind, unary};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Device, Tensor, TensorData};

type Primitive = FloatTensor<Autodiff<Flex>>;

/// The device every training tensor lives on.
pub fn device() -> Device {
    Device::flex().autodiff()
}

fn primitive<const D: usize>(x: Tensor<D>) -> Primitive {
    x.try_into_primitive::<Autodiff<Flex>>()
        .expect("training tensors live on the autodiff Flex device")
}

fn tensor<const D: usize>(x: Primitive) -> Tensor<D> {
    Tensor::from_primitive::<Autodiff<Flex>>(x)
}

fn flex(data: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(data, shape.to_vec()))
}

fn slice(x: &FlexTensor) -> &[f32] {
    x.as_slice::<f32>().expect("contiguous")
}

#[derive(Debug)]
struct Pointwise;

impl Backward<Flex, 1> for Pointwise {
    type State = FlexTensor;
    fn backward(self, ops: Ops<FlexTensor, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = ops.state;
        unary::<Flex, _>(ops.parents, ops.node, grads, |grad| {
            let mut grad = grad.to_contiguous();
            kernels::scale(grad.storage_mut::<f32>(), slice(&slope));
            grad
        });
    }
}

/// y = f(x): `f` gets x and fills y and dy/dx.
pub fn pointwise<const D: usize>(x: Tensor<D>, f: impl FnOnce(&[f32], &mut [f32], &mut [f32])) -> Tensor<D> {
    let shape = x.dims();
    let x = primitive(x);
    let plain = x.primitive().to_contiguous();
    let n = shape.iter().product();
    let (mut y, mut slope) = (vec![0f32; n], vec![0f32; n]);
    f(slice(&plain), &mut y, &mut slope);
    let y = flex(y, &shape);
    tensor(
        match Pointwise
            .prepare::<NoCheckpointing>([x.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(flex(slope, &shape), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        },
    )
}

#[derive(Debug)]
struct Norm;

#[derive(Clone, Debug)]
struct NormState {
    hat: FlexTensor,
    inv: FlexTensor,
    gamma: FlexTensor,
}

impl Backward<Flex, 3> for Norm {
    type State = NormState;
    fn backward(self, ops: Ops<NormState, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let NormState { hat, inv, gamma } = ops.state;
        let mut grad = grads.consume::<Flex>(&ops.node).to_contiguous();
        let d = slice(&gamma).len();
        let (mut d_gamma, mut d_beta) = (vec![0f32; d], vec![0f32; d]);
        kernels::layer_norm_backward(
            grad.storage_mut::<f32>(),
            slice(&hat),
            slice(&inv),
            slice(&gamma),
            &mut d_gamma,
            &mut d_beta,
        );
        let found = [grad, flex(d_gamma, &[d]), flex(d_beta, &[d])];
        for (parent, grad) in ops.parents.into_iter().zip(found) {
            if let Some(node) = parent {
                grads.register::<Flex>(node.id, grad);
            }
        }
    }
}

/// Layer norm over rows of D; γ and β have D entries.
pub fn layer_norm(x: Tensor<2>, gamma: Tensor<1>, beta: Tensor<1>) -> Tensor<2> {
    let shape = x.dims();
    let [rows, d] = shape;
    let (x, gamma, beta) = (primitive(x), primitive(gamma), primitive(beta));
    let plain = x.primitive().to_contiguous();
    let (g, b) = (gamma.primitive().to_contiguous(), beta.primitive().to_contiguous());
    let (mut y, mut hat, mut inv) = (vec![0f32; rows * d], vec![0f32; rows * d], vec![0f32; rows]);
    kernels::layer_norm(slice(&plain), slice(&g), slice(&b), &mut y, &mut hat, &mut inv);
    let y = flex(y, &shape);
    let nodes = [x.node(), gamma.node(), beta.node()];
    tensor(
        match Norm.prepare::<NoCheckpointing>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let state = NormState {
                    hat: flex(hat, &shape),
                    inv: flex(inv, &[rows]),
                    gamma: g,
                };
                prep.finish(state, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(y),
        },
    )
}

/// A constant of the training device.
pub fn constant<const D: usize>(data: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(data, shape), &device())
}

/// The values of a tensor, row by row.
pub fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().try_into_vec::<f32>().expect("training tensors are f32")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_norm_gradients_are_slopes() {
        let x: Vec<f32> = (0..21).map(|i| ((i * 37 % 11) as f32 - 5.0) * 0.3).collect();
        let gamma: Vec<f32> = (0..7).map(|i| 0.5 + 0.1 * i as f32).collect();
        let beta = vec![0.1; 7];
        let weight: Vec<f32> = (0..21).map(|i| ((i * 13 % 7) as f32 - 3.0) * 0.2).collect();
        let loss = |x: &[f32], g: &[f32], b: &[f32]| -> (f64, [Vec<f32>; 3]) {
            let x = constant(x.to_vec(), [3, 7]).require_grad();
            let g = constant(g.to_vec(), [7]).require_grad();
            let b = constant(b.to_vec(), [7]).require_grad();
            let y = layer_norm(x.clone(), g.clone(), b.clone());
            let loss = (y * constant(weight.clone(), [3, 7])).sum();
            let value = values(loss.clone())[0] as f64;
            let grads = loss.backward();
            let of = |t: Option<Vec<f32>>| t.unwrap();
            (
                value,
                [
                    of(x.grad(&grads).map(values)),
                    of(g.grad(&grads).map(values)),
                    of(b.grad(&grads).map(values)),
                ],
            )
        };
        let (_, grads) = loss(&x, &gamma, &beta);
        let inputs = [x, gamma, beta];
        for which in 0..3 {
            for i in 0..inputs[which].len() {
                let at = |step: f32| {
                    let mut moved = inputs.clone();
                    moved[which][i] += step;
                    loss(&moved[0], &moved[1], &moved[2]).0
                };
                let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                assert!(
                    (slope - grads[which][i] as f64).abs() < 2e-3,
                    "{which} {i}: {slope} {}",
                    grads[which][i]
                );
            }
        }
    }
}
