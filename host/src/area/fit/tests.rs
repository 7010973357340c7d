use super::*;
use crate::area::calibration::Calibration;
use crate::area::hard;

/// The calibrated families; an empty file is no pass.
fn families() -> impl Iterator<Item = Family> {
    [Family::Ice40, Family::Ecp5].into_iter().inspect(|&family| {
        let n = designs(family).len();
        assert!(n > TERMS, "{family:?}: {n} designs");
    })
}

fn designs(family: Family) -> Vec<Design> {
    Calibration::of(family).unwrap().designs
}

fn placed(blocks: &Blocks) -> f64 {
    blocks.values().map(|row| row[PLACED]).sum()
}

/// Told and placed logic cells of a design, less the registers around it, which are the measurement's own.
fn told(family: Family, model: &Model, design: &Design) -> (f64, f64) {
    let cell = logic(family).unwrap().placed;
    (placed(&model.blocks(&design.core)), design.placed[cell] as f64)
}

#[test]
fn a_plane_is_found_again() {
    let x = [
        [1.0, 2.0, 0.0, 9.0],
        [1.0, 4.0, 4.0, 1.0],
        [1.0, 6.0, 0.0, 2.0],
        [1.0, 8.0, 8.0, 7.0],
        [1.0, 3.0, 3.0, 3.0],
    ];
    let y = x.map(|row| 5.0 + 2.0 * row[1] - row[2] + 0.5 * row[3]);
    let c = least_squares(&x, &y);
    for (found, expected) in c.iter().zip([5.0, 2.0, -1.0, 0.5]) {
        assert!((found - expected).abs() < 0.01, "{c:?}");
    }
}

#[test]
fn the_committed_designs_are_told_within_three_percent_of_place_and_route() {
    for family in families() {
        let all = designs(family);
        let model = Model::new(family, &all).unwrap();
        for design in &all {
            let (told, found) = told(family, &model, design);
            println!(
                "{family:?} {}: told {told:.0}, placed {found}, {:+.2} %",
                design.core.name,
                100.0 * (told / found - 1.0)
            );
            assert!(
                (told / found - 1.0).abs() < 0.03,
                "{}: {told} for {found}",
                design.core.name
            );
        }
    }
}

/// What the model says of a design it has not seen: the error on a core of other sizes.
#[test]
fn a_design_left_out_is_told_by_the_others() {
    for family in families() {
        let all = designs(family);
        for n in 0..all.len() {
            let others: Vec<_> = all
                .iter()
                .enumerate()
                .filter(|(k, _)| *k != n)
                .map(|(_, d)| d.clone())
                .collect();
            let (told, found) = told(family, &Model::new(family, &others).unwrap(), &all[n]);
            println!(
                "{family:?} {}: {:+.2} %",
                all[n].core.name,
                100.0 * (told / found - 1.0)
            );
            assert!(
                (told / found - 1.0).abs() < 0.25,
                "{}: {told} for {found}",
                all[n].core.name
            );
        }
    }
}

#[test]
fn memories_and_multipliers_are_exact() {
    for family in families() {
        for design in designs(family) {
            for (cell, told) in hard::cells(&design.core, family).unwrap() {
                let found: u64 = design.blocks.values().filter_map(|cells| cells.get(cell)).sum();
                assert_eq!(told, found, "{cell} of {}", design.core.name);
            }
        }
    }
}

#[test]
fn too_few_designs_are_refused() {
    for (family, named) in [(Family::Ice40, "calibration"), (Family::Gowin, "Gowin")] {
        let refusal = Model::new(family, &[]).err().unwrap().to_string();
        assert!(refusal.contains(named), "{refusal}");
    }
}
