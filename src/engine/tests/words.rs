//! Programs as words: every field comes back, every bit means something or is refused; the listing.

use super::*;
use crate::engine::code::{decode, disassemble, encode};
use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

struct Draw(ChaCha8Rng);

impl Draw {
    fn below(&mut self, bits: u32) -> u32 {
        // Often an end of the range.
        match self.0.random_range(0..6) {
            0 => 0,
            1 => (1u64.wrapping_shl(bits) - 1) as u32,
            _ => self.0.random_range(0..1u64 << bits) as u32,
        }
    }

    fn positive(&mut self, bits: u32) -> u32 {
        self.below(bits).max(1)
    }

    fn from(&mut self, low: i32, high: i32) -> i32 {
        match self.0.random_range(0..6) {
            0 => low,
            1 => high,
            _ => self.0.random_range(low..=high),
        }
    }

    fn at(&mut self, looping: bool) -> At {
        let indices = [Index::None, Index::Last, Index::R1, Index::R2];
        At {
            base: self.below(24),
            index: indices[self.0.random_range(0..if looping { 4 } else { 2 })],
        }
    }

    fn extent(&mut self) -> Extent {
        if self.0.random() {
            Extent::Block
        } else {
            Extent::Fixed(self.positive(16))
        }
    }

    fn run(&mut self, looping: bool) -> Run {
        let source = match self.0.random_range(0..6) {
            0 => Source::Input,
            1 => Source::Sums,
            2 => Source::Count,
            _ => Source::Array(Mac {
                rows: self.extent(),
                passes: self.positive(16),
                k: self.extent(),
                x: self.at(looping),
                x_stride: self.below(16),
                bank: self.below(16),
                bank_stride: self.below(16),
            }),
        };
        let of = match source {
            Source::Sums => Summed::Nothing,
            _ => [Summed::Function, Summed::Result][self.0.random_range(0..2)],
        };
        let sums = Sums {
            base: self.below(12),
            of,
        };
        Run {
            label: String::new(),
            names: Vec::new(),
            source,
            wait: self.0.random(),
            wait_fill: self.0.random(),
            stream: Stream {
                cols: self.positive(16),
                slow: self.0.random(),
                addend: match self.0.random_range(0..3) {
                    0 => Addend::None,
                    1 => Addend::Word {
                        at: self.at(looping),
                        stride: self.below(16),
                    },
                    _ => Addend::State {
                        at: self.below(24),
                        wide: self.0.random(),
                    },
                },
                shift: self.from(-16, 47),
                bits: self.from(2, 19) as u32,
                function: self.function(),
                other: match self.0.random_range(0..3) {
                    0 => Other::None,
                    1 => Other::Key {
                        at: self.at(looping),
                        stride: self.below(16),
                    },
                    _ => Other::Residual {
                        at: self.at(looping),
                        stride: self.below(16),
                        left: self.from(-15, 15),
                        shift: self.from(-8, 31),
                    },
                },
                serial: self.serial(),
                sums: (source == Source::Sums || self.0.random()).then_some(sums),
                to: match self.0.random_range(0..4) {
                    0 => To::Nowhere,
                    1 => To::Output,
                    2 => To::X {
                        at: self.at(looping),
                        row: self.below(16),
                        column: self.below(16),
                    },
                    _ => To::Bank {
                        bank: self.below(16),
                        row: self.below(16),
                        pass: self.below(16),
                    },
                },
                norm: if self.0.random() {
                    Some(self.norm(looping))
                } else {
                    None
                },
            },
        }
    }

    fn function(&mut self) -> Function {
        let (table, bits) = (self.below(16), self.positive(4));
        let shift = self.from(-16, 15);
        match self.0.random_range(0..6) {
            0 => Function::None,
            1 => Function::Phi {
                table,
                bits,
                one: self.from(0, 17) as u32,
                shift,
            },
            2 => Function::Relu { shift },
            3 => Function::Gelu {
                table,
                bits,
                drop: self.below(5),
                shift,
            },
            4 => Function::Table { table, bits },
            _ => Function::Hard,
        }
    }

    fn serial(&mut self) -> Serial {
        let (g, read, table, bits) = (self.below(12), self.below(12), self.below(16), self.positive(4));
        let running = self.0.random();
        match self.0.random_range(0..5) {
            0 => Serial::None,
            1 => Serial::Calcium {
                g,
                read,
                minimum: self.from(0, 47) as u32,
                table,
                bits,
                running,
            },
            2 => Serial::Normalise {
                read,
                offset: self.from(-144, 111),
            },
            3 => Serial::Power {
                g,
                table,
                bits,
                running,
            },
            _ => Serial::Count { read, table, bits },
        }
    }

    fn norm(&mut self, looping: bool) -> Norm {
        Norm {
            parameters: self.below(12),
            drop: self.below(5),
            offset: self.from(-32, 31),
            shift: self.from(-8, 47),
            table: self.below(16),
            bits: self.positive(4),
            to: if self.0.random() {
                Some((self.at(looping), self.below(16)))
            } else {
                None
            },
        }
    }

    fn program(&mut self) -> Program {
        let (mut steps, mut looping) = (Vec::new(), false);
        for _ in 0..self.0.random_range(0..12) {
            steps.push(match self.0.random_range(0..6) {
                0 => Step::Fill(Fill {
                    from: self.below(24),
                    bank: self.below(16),
                    words: self.positive(16),
                }),
                1 | 2 => {
                    looping = !looping;
                    if looping {
                        Step::Blocks {
                            tokens: self.positive(16),
                        }
                    } else {
                        self.next()
                    }
                }
                _ => Step::Run(Box::new(self.run(looping))),
            });
        }
        if looping {
            steps.push(self.next());
        }
        steps.push(Step::End);
        Program { n_max: 1, steps }
    }

    fn next(&mut self) -> Step {
        Step::Next {
            r1: self.below(24),
            r2: self.below(24),
        }
    }
}

fn draw(seed: u64) -> Program {
    Draw(ChaCha8Rng::seed_from_u64(seed)).program()
}

proptest! {
    #[test]
    fn words_and_steps_are_one_to_one(seed: u64, changes in prop::collection::vec((any::<prop::sample::Index>(), 0u32..32), 20)) {
        let mut program = draw(seed);
        let words = encode(&program).unwrap();
        prop_assert_eq!(&decode(&words).unwrap(), &program.steps);
        // What stands behind the program is not read.
        prop_assert_eq!(&decode(&[&words[..], &[u32::MAX; 3]].concat()).unwrap(), &program.steps);
        for (at, bit) in changes {
            let mut changed = words.clone();
            changed[at.index(words.len())] ^= 1 << bit;
            // Another program, or none: two patterns never mean the same.
            if let Ok(steps) = decode(&changed) {
                program.steps = steps;
                let again = encode(&program).unwrap();
                prop_assert_eq!(&again[..], &changed[..again.len()]);
            }
        }
        for end in 0..words.len() {
            prop_assert!(decode(&words[..end]).is_err());
        }
        prop_assert!(disassemble(&program).lines().count() == program.steps.len() + 1);
    }

    /// Words from anywhere: a program or an error, and no more.
    #[test]
    fn any_words(words in prop::collection::vec(any::<u32>(), 0..60)) {
        if let Ok(steps) = decode(&words) {
            let again = encode(&Program { n_max: 1, steps }).unwrap();
            prop_assert_eq!(&again[..], &words[..again.len()]);
        }
    }
}

#[test]
fn refusals_name_the_field() {
    let run = |change: fn(&mut Run)| {
        let mut run = plain("q", Source::Input, 4, 8);
        change(&mut run);
        encode(&Program {
            n_max: 1,
            steps: vec![Step::Run(Box::new(run)), Step::End],
        })
    };
    for (words, said) in [
        (
            run(|r| r.stream.shift = 48),
            "program.steps[0] (q).shift: expected -16 to 47, found 48",
        ),
        (run(|r| r.stream.cols = 0), "(q).cols: expected 1 to 65535, found 0"),
        (run(|r| r.stream.bits = 20), "(q).bits: expected 2 to 19"),
        (
            run(|r| {
                r.stream.to = To::X {
                    at: At::fixed(1 << 24),
                    row: 0,
                    column: 1,
                }
            }),
            "(q).to.at.base: expected 0 to 16777215, found 16777216",
        ),
        (
            run(|r| r.stream.function = Function::Relu { shift: 16 }),
            "(q).function.shift",
        ),
        (
            run(|r| {
                r.stream.sums = Some(Sums {
                    base: 0,
                    of: Summed::Nothing,
                })
            }),
            "(q).sums.of",
        ),
        (
            run(|r| {
                r.stream.to = To::X {
                    at: At {
                        base: 0,
                        index: Index::R1,
                    },
                    row: 0,
                    column: 1,
                }
            }),
            "R1 and R2 only between Blocks and Next",
        ),
        (run(|r| r.source = Source::Sums), "(q).sums: expected where"),
    ] {
        let error = words.unwrap_err().to_string();
        assert!(error.contains(said), "{error:?} does not say {said:?}");
    }
    let next = Step::Next { r1: 0, r2: 0 };
    let blocks = Step::Blocks { tokens: 3 };
    for (steps, said) in [
        (vec![], "program.steps: expected 1 to 65536, found 0"),
        (vec![blocks.clone()], "program.steps[0]: expected End as the last step"),
        (vec![Step::End, Step::End], "program.steps[0]: expected End as the last"),
        (
            vec![blocks.clone(), Step::End],
            "program.steps[0]: expected a loop that ends with Next",
        ),
        (
            vec![blocks.clone(), blocks.clone(), next.clone(), Step::End],
            "[1]: expected loops that do not nest",
        ),
        (vec![next.clone(), Step::End], "[0]: expected Next at the end of a loop"),
    ] {
        let error = encode(&Program { n_max: 1, steps }).unwrap_err().to_string();
        assert!(error.contains(said), "{error:?} does not say {said:?}");
    }
    for (words, said) in [
        (
            vec![],
            "program.steps[0]: expected a step (the last is End), found the end",
        ),
        (vec![5], "program.steps[0].op: expected 0 to 4, found 5"),
        (vec![8], "program.steps[0], word 0: expected 0x00000000 (reserved"),
        (vec![3 << 16 | 3, 0], "program.steps[0]: expected a loop that ends"),
        (vec![3, 0], "program.steps[0].tokens: expected 1 to 65535, found 0"),
        (vec![1 << 25 | 2, 0], "program.steps[0]: expected 3 words, found 2"),
        (
            vec![2, 1 << 24, 1 << 16, 0],
            "program.steps[0], word 1: expected 0x00000000 (reserved",
        ),
    ] {
        let error = decode(&words).unwrap_err().to_string();
        assert!(error.contains(said), "{error:?} does not say {said:?}");
    }
}

#[test]
fn the_listing() {
    let mut draft = Draft::new(4, 8, 100);
    let mut input = plain("x0", Source::Input, 6, 8);
    input.stream.slow = false;
    input.stream.to = To::X {
        at: At::fixed(0),
        row: 6,
        column: 1,
    };
    draft.push(input);
    let mut k = draft.dense(
        "layers.0.k.h0",
        Extent::Block,
        At {
            base: 0,
            index: Index::R1,
        },
        6,
        &[1; 30],
        5,
        true,
    );
    k.stream.shift = 7;
    k.stream.addend = Addend::Word {
        at: At::fixed(900),
        stride: 0,
    };
    k.stream.function = Function::Phi {
        table: 0,
        bits: 7,
        one: 4,
        shift: -1,
    };
    k.stream.other = Other::Key {
        at: At {
            base: 1000,
            index: Index::R2,
        },
        stride: 5,
    };
    k.stream.sums = Some(Sums {
        base: 2,
        of: Summed::Function,
    });
    k.stream.to = To::Bank {
        bank: 12,
        row: 1,
        pass: 16,
    };
    draft.program.steps.push(Step::Blocks { tokens: 16 });
    draft.push(k);
    draft.program.steps.push(Step::Next { r1: 96, r2: 80 });
    let mut pool = plain("pooled", Source::Sums, 6, 16);
    pool.wait = false;
    pool.wait_fill = false;
    pool.stream.slow = false;
    pool.stream.sums = Some(Sums {
        base: 4,
        of: Summed::Nothing,
    });
    pool.stream.serial = Serial::Normalise { read: 0, offset: -9 };
    pool.stream.to = To::Output;
    pool.stream.norm = Some(Norm {
        parameters: 0,
        drop: 2,
        offset: 1,
        shift: 20,
        table: 64,
        bits: 9,
        to: Some((At::fixed(40), 6)),
    });
    draft.push(pool);
    draft.program.steps.push(Step::End);
    let expected = "\
n_max 100
     2    0 x0: input, 6 columns | >>0:8 | -> X[0 + 6r + 1j] | wait | wait fill
    22    1 fill bank[0..12] <- M[4096..]
    25    2 blocks of 16 tokens
    26    3 layers.0.k.h0: B x 5 (2 passes) of 6: X[0+R1 + 6r] . bank[0 + 6p] | + M[900 + 0r + j] | >>7:8 | phi f[0..] 7 bits, one 2^4 >>-1 \
| + key M[1000+R2 + 5r + j] | sums[2 + j] += function | -> bank[12 + 1r + 16p] | slow | wait | wait fill
    46    4 next: R1 += 96, R2 += 80
    49    5 pooled: sums[4..], 6 columns | >>(E-9):16 | * R of reads[0 + r] | -> output \
| norm p[0..] drop 2 h+1 >>20 by m[64..] 9 bits -> X[40 + 6r + j]
    69    6 end
";
    assert_eq!(disassemble(&draft.program), expected);
}
