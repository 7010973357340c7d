//! What a machine refuses, by name: another core, a program that leaves its memory, sums that do not fit, wrong input.

use super::*;

/// Rows of two words; sums over two products; logits out.
pub(super) fn small() -> Draft {
    let mut draft = Draft::new(2, 8, 4);
    let x = draft.x(8);
    let mut input = plain("x0", Source::Input, 2, 8);
    input.stream.to = To::X {
        at: At::fixed(x),
        row: 2,
        column: 1,
    };
    draft.push(input);
    let mut logits = draft.dense("logits", Extent::Block, At::fixed(x), 2, &[1, 2, 3, 4], 2, false);
    logits.stream.to = To::Output;
    logits.stream.bits = 16;
    draft.push(logits);
    draft
}

/// The error of a program whose last step was changed.
fn refused(change: impl FnOnce(&mut Run)) -> String {
    let mut draft = small();
    let Some(Step::Run(run)) = draft.program.steps.last_mut() else {
        panic!("the last step is a run");
    };
    change(run);
    draft.program.steps.push(Step::End);
    let mut loaded = match Loaded::new(&draft.core, &draft.program) {
        Ok(loaded) => loaded,
        Err(error) => return error.to_string(),
    };
    loaded.banks.clone_from(&draft.loaded.banks);
    let machine = Machine::new(&draft.core, &draft.program, &loaded);
    match machine.and_then(|mut machine| machine.predict(&[127, 127, 1, 1])) {
        Ok(output) => format!("no error but {output:?}"),
        Err(error) => error.to_string(),
    }
}

fn mac(run: &mut Run) -> &mut Mac {
    match &mut run.source {
        Source::Array(mac) => mac,
        other => panic!("{other:?} is no array"),
    }
}

pub(super) fn says(error: impl std::fmt::Display, said: &str) {
    let error = error.to_string();
    assert!(error.contains(said), "{error:?} does not say {said:?}");
}

#[test]
fn the_small_program_runs() {
    assert_eq!(
        small().machine().predict(&[1, 0, 0, 1, 127, -128]).unwrap(),
        [1, 2, 3, 4, -257, -258]
    );
}

#[test]
fn a_program_that_leaves_its_memory() {
    let at = |base| At {
        base,
        index: Index::Last,
    };
    says(
        refused(|r| mac(r).x = At::fixed(65534)),
        "program.steps[1] (logits).x: expected addresses below 65536, found 4 words from 65534 on",
    );
    says(
        refused(|r| mac(r).bank = 8192),
        "(logits).bank: expected addresses below 8192",
    );
    says(
        refused(|r| {
            r.stream.to = To::X {
                at: at(65533),
                row: 1,
                column: 1,
            }
        }),
        "(logits).bits: expected at most 8 unless the word goes to the output",
    );
    let narrow = |to| {
        refused(move |r| {
            r.stream.bits = 8;
            r.stream.to = to;
        })
    };
    says(
        narrow(To::X {
            at: at(65533),
            row: 1,
            column: 1,
        }),
        "(logits).to.at: expected addresses below 65536, found 2 words from 65535 on",
    );
    says(
        narrow(To::Bank {
            bank: 8191,
            row: 1,
            pass: 0,
        }),
        "(logits).to.bank: expected addresses below 8192, found 1 words from 8192 on",
    );
    says(
        refused(|r| {
            r.stream.addend = Addend::Word {
                at: At::fixed(65535),
                stride: 0,
            }
        }),
        "(logits).addend.at: expected addresses below 65536",
    );
    says(
        refused(|r| r.stream.addend = Addend::State { at: 3, wide: false }),
        "(logits).addend.at: expected a state behind the program's 43 words, found 3",
    );
    says(
        refused(|r| {
            r.stream.bits = 8;
            r.stream.function = Function::Gelu {
                table: 16383,
                bits: 4,
                drop: 0,
                shift: 0,
            };
        }),
        "(logits).function.table: expected a table below 16384",
    );
    says(
        refused(|r| {
            r.stream.bits = 8;
            r.stream.serial = Serial::Calcium {
                g: 63,
                read: 0,
                minimum: 0,
                table: 0,
                bits: 4,
                running: false,
            };
        }),
        "(logits).serial.g: expected addresses below 64, found 2 words from 63 on",
    );
    says(
        refused(|r| {
            r.stream.serial = Serial::Normalise { read: 64, offset: 0 };
        }),
        "(logits).serial.read: expected addresses below 64",
    );
    says(
        refused(|r| {
            r.stream.sums = Some(Sums {
                base: 63,
                of: Summed::Result,
            })
        }),
        "(logits).sums.base",
    );
    says(
        refused(|r| {
            r.stream.bits = 8;
            r.stream.norm = Some(Norm {
                parameters: 254,
                drop: 0,
                offset: 0,
                shift: 0,
                table: 0,
                bits: 4,
                to: None,
            });
        }),
        "(logits).norm.parameters: expected addresses below 256, found 3 words from 254 on",
    );
}

#[test]
fn a_program_that_contradicts_itself_or_the_core() {
    says(
        refused(|r| mac(r).passes = 2),
        "(logits).passes: expected 1 for 2 columns, found 2",
    );
    says(
        refused(|r| mac(r).x = At::fixed(1)),
        "(logits).x: expected an even address, found 1",
    );
    says(
        refused(|r| mac(r).x_stride = 1),
        "(logits).x_stride: expected an even number, found 1",
    );
    says(
        refused(|r| r.stream.bits = 17),
        "(logits).bits: expected 2 to 16, found 17",
    );
    says(
        refused(|r| r.stream.function = Function::Hard),
        "(logits).bits: expected 9 for the function's input, found 16",
    );
    says(
        refused(|r| r.source = Source::Count),
        "(logits).serial: expected Count with source count",
    );
    says(
        refused(|r| r.source = Source::Input),
        "(logits): expected one step that takes the input, found another",
    );
    says(
        refused(|r| {
            (r.stream.bits, r.stream.slow) = (8, false);
            r.stream.other = Other::Residual {
                at: At::fixed(0),
                stride: 0,
                left: 0,
                shift: 0,
            };
        }),
        "(logits).slow: expected a slow step",
    );
    says(
        refused(|r| {
            (r.source, r.stream.slow) = (Source::Sums, false);
            r.stream.sums = Some(Sums {
                base: 0,
                of: Summed::Nothing,
            });
            r.stream.serial = Serial::Power {
                g: 0,
                table: 0,
                bits: 4,
                running: false,
            }
        }),
        "(logits).slow: expected a slow step",
    );
    says(
        refused(|r| {
            r.stream.serial = Serial::Power {
                g: 0,
                table: 0,
                bits: 4,
                running: false,
            }
        }),
        "(logits).source: expected Sums",
    );
    let running = |r: &mut Run| {
        r.stream.serial = Serial::Power {
            g: 0,
            table: 0,
            bits: 4,
            running: true,
        }
    };
    says(
        refused(running),
        "(logits).serial.running: expected false on a core that is not chunked",
    );
    let mut chunked = small();
    chunked.core.chunked = true;
    if let Some(Step::Run(run)) = chunked
        .program
        .steps
        .iter_mut()
        .rev()
        .find(|s| matches!(s, Step::Run(_)))
    {
        running(run);
    }
    says(
        crate::engine::check::check(&chunked.core, &chunked.program).unwrap_err(),
        "(logits).sums.of: expected Function with a running power, found None",
    );
    says(
        refused(|r| {
            r.stream.bits = 8;
            r.stream.norm = Some(Norm {
                parameters: 0,
                drop: 0,
                offset: 0,
                shift: 0,
                table: 0,
                bits: 4,
                to: None,
            });
        }),
        "(logits).norm: expected ε of at least 1, found 0",
    );
}

#[test]
fn sums_that_do_not_fit() {
    let mut draft = small();
    draft.core.acc_bits = 16;
    let loaded = draft.loaded();
    let mut machine = Machine::new(&draft.core, &draft.program, &loaded).unwrap();
    machine.predict(&[127, 127, -128, -128]).unwrap();
    let mut loud = loaded.clone();
    loud.banks = vec![vec![-128; 2], vec![127; 2]];
    let mut machine = Machine::new(&draft.core, &draft.program, &loud).unwrap();
    assert_eq!(machine.predict(&[127, 127]).unwrap(), [-32512, 32258]);
    says(
        machine.predict(&[-128, -128]).unwrap_err(),
        "program.steps[1] (logits): exact sum: expected 16 bits, found 32768",
    );
    let mut bias = small();
    bias.core.acc_bits = 16;
    let addend = bias.bias(&[1 << 20, 0]);
    let Some(Step::Run(run)) = bias.program.steps.last_mut() else {
        panic!("the last step is a run");
    };
    run.stream.addend = addend;
    says(
        bias.machine().predict(&[1, 0]).unwrap_err(),
        "(logits): exact sum with addend: expected 16 bits, found 1048577",
    );
}

#[test]
fn input_that_is_none() {
    let mut machine = small().machine();
    for (input, said) in [
        (
            vec![],
            "program.steps[0] (x0): sequence length: expected 1 to 4, found 0",
        ),
        (vec![1; 10], "(x0): sequence length: expected 1 to 4, found 5"),
        (vec![1; 3], "(x0): input: expected whole rows of 2 words, found 3"),
        (
            vec![1, 2, 3, 128],
            "(x0): input[3]: expected a word of 8 bits, found 128",
        ),
    ] {
        says(machine.predict(&input).unwrap_err(), said);
    }
    // It goes on after a refusal.
    assert_eq!(machine.predict(&[1, 0]).unwrap(), [1, 2]);
}

#[test]
fn an_image_for_another_core() {
    let mut draft = small();
    let loaded = draft.loaded();
    let mut other = draft.core.clone();
    (other.x_words, other.name) = (1 << 15, "another".into());
    says(
        Machine::new(&other, &draft.program, &loaded).err().unwrap(),
        "(another), found",
    );
    says(
        Machine::new(&other, &draft.program, &loaded).err().unwrap(),
        "an image for another core",
    );
    let check = |change: fn(&mut Loaded)| {
        let mut loaded = loaded.clone();
        change(&mut loaded);
        Machine::new(&draft.core, &draft.program, &loaded).err().unwrap()
    };
    says(check(|l| l.m[1] = 5), "program header, n_max: expected 4, found 5");
    says(check(|l| l.m[7] ^= 1), "loaded.m[7]: expected the program's word");
    says(check(|l| l.m.truncate(9)), "loaded.m[9]: expected the program's word");
    says(
        check(|l| l.m.resize(70_000, 0)),
        "loaded.m: expected 0 to 65536, found 70000",
    );
    says(
        check(|l| l.function = vec![0, 128]),
        "loaded.function[1]: expected a word of 8 bits",
    );
    says(
        check(|l| l.mantissa = vec![1 << 15]),
        "loaded.mantissa[0]: expected a word of 16 bits",
    );
    says(
        check(|l| l.norm = vec![(1 << 15, 0)]),
        "loaded.norm[0]: expected a word of 16 bits",
    );
    says(
        check(|l| l.banks[1][0] = -129),
        "loaded.banks[1][0]: expected a word of 8 bits",
    );
    says(
        check(|l| l.banks[1].truncate(1)),
        "loaded.banks[1]: expected 2 words as lane 0, found 1",
    );
    says(
        check(|l| l.banks.truncate(1)),
        "loaded.banks: expected 2 lanes, found 1",
    );
}
