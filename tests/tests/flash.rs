//! `flash` with an openFPGALoader that writes down what it is asked.
#![cfg(unix)]

use astromorph_tests::program;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// Its version is good; every other call is written down, and `ends` with this status.
fn loader(folder: &Path, ends: u8) {
    let path = folder.join("openFPGALoader");
    let log = folder.join("asked");
    let text = format!(
        "#!/bin/sh\nif [ \"$1\" = -V ]; then echo 'openFPGALoader v1.1.1'; exit 0; fi\n\
         for word in \"$@\"; do echo \"$word\"; done > {}\n[ {ends} = 0 ] || echo 'unable to open ftdi device' >&2\nexit {ends}\n",
        log.display()
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn flash(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let out = Command::new(program())
        .arg("flash")
        .args(args)
        .env("PATH", path)
        .output()
        .unwrap();
    (out.status.code(), String::from_utf8_lossy(&out.stderr).to_string())
}

#[test]
fn a_bitstream_goes_to_the_board_verified() {
    let dir = tempfile::tempdir().unwrap();
    loader(dir.path(), 0);
    let file = dir.path().join("ecp5-int8.bit");
    fs::write(&file, [1, 2, 3]).unwrap();
    let file = fs::canonicalize(&file).unwrap();
    let (file, folder) = (file.to_str().unwrap(), dir.path().to_str().unwrap());
    let asked = || fs::read_to_string(dir.path().join("asked")).unwrap();
    // By name, and as `build` has left it.
    for args in [&["--board", "ulx3s", file][..], &["--board", "ulx3s", "--out", folder]] {
        let (code, error) = flash(dir.path(), args);
        assert_eq!(code, Some(0), "{error}");
        assert_eq!(asked(), format!("-b\nulx3s\n-f\n--verify\n{file}\n"));
        fs::remove_file(dir.path().join("asked")).unwrap();
    }
    let (code, error) = flash(
        dir.path(),
        &[
            "--board",
            "ulx3s",
            file,
            "--sram",
            "--loader-options",
            "--ftdi-serial FT1",
        ],
    );
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(asked(), format!("-b\nulx3s\n-m\n--ftdi-serial\nFT1\n{file}\n"));
}

#[test]
fn what_cannot_be_flashed_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    loader(dir.path(), 1);
    let (bit, bin) = (dir.path().join("core.bit"), dir.path().join("core.bin"));
    fs::write(&bit, [1]).unwrap();
    fs::write(&bin, []).unwrap();
    let (bit, bin) = (bit.to_str().unwrap(), bin.to_str().unwrap());
    let folder = dir.path().to_str().unwrap();
    for (args, code, needles) in [
        (
            &["--board", "icebreaker", bit][..],
            2,
            &["core.bit", ".bin", ".bit"][..],
        ),
        (&["--board", "icebreaker", bin], 2, &["core.bin", "empty"]),
        (
            &["--board", "ulx3s", "--out", folder],
            2,
            &["ecp5-int8.bit", "build --board ulx3s"],
        ),
        (&["--board", "de10", bit], 2, &["icebreaker, ulx3s"]),
        (
            &["--board", "ulx3s", bit],
            3,
            &["openFPGALoader", "unable to open ftdi device"],
        ),
    ] {
        let (found, error) = flash(dir.path(), args);
        assert_eq!(found, Some(code), "{args:?}: {error}");
        for needle in needles {
            assert!(error.contains(needle), "{needle}: {error}");
        }
    }
}
