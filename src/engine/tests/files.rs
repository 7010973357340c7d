//! `program.safetensors`: comes back as it was; refused for another core; mutations are refused.

use super::refusals::{says, small};
use super::*;
use crate::engine::package::Package;
use proptest::prelude::*;

fn package() -> Package {
    let mut draft = small();
    draft.mantissa(&[5, 6, 7]);
    draft.norm(&[3], &[-9], 1 << 40);
    let Some(Step::Run(run)) = draft.program.steps.last_mut() else {
        panic!("the last step is a run");
    };
    run.names = vec![(Tap::Sum, "num".into()), (Tap::Linear, "logits".into())];
    let loaded = draft.loaded();
    Package::new(draft.core, draft.program, loaded).unwrap()
}

#[test]
fn a_file_comes_back_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("program.safetensors");
    let package = package();
    package.save(&path).unwrap();
    let found = Package::load(&path).unwrap();
    assert_eq!(found, package);
    assert_eq!(found.to_bytes().unwrap(), std::fs::read(&path).unwrap());
    assert!(found.listing().contains("logits: B x 2"));
    assert_eq!(found.machine().unwrap().predict(&[1, 0]).unwrap(), [1, 2]);
    says(
        Package::load(&folder.path().join("none")).unwrap_err(),
        "none: No such file",
    );
}

#[test]
fn another_core_is_named() {
    let package = package();
    let mut core = package.core().clone();
    core.name = "renamed".into();
    package.meant_for(&core).unwrap();
    core.sums = 128;
    says(
        package.meant_for(&core).unwrap_err(),
        "an image for another core (test): core.sums: expected 128 (renamed), found 64",
    );
}

proptest! {
    /// Every bit is guarded: by the format, the hashes, or both.
    #[test]
    fn a_changed_file_is_refused(at: prop::sample::Index, bit in 0u32..8, cut: prop::sample::Index) {
        let bytes = package().to_bytes().unwrap();
        let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        for within in [header, bytes.len()] {
            let mut changed = bytes.clone();
            changed[at.index(within)] ^= 1 << bit;
            if let Ok(found) = Package::from_bytes(&changed) {
                // A space in the JSON text may become another.
                prop_assert_eq!(found, package());
            }
        }
        prop_assert!(Package::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
    }
}
