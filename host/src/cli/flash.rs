//! `astromorph flash`: a bitstream into a board, by openFPGALoader; and, with `--port`, whether the board then says who it is.

use super::ports::Ports;
use super::{Common, Outcome};
use crate::boards::Board;
use crate::build::extensions;
use crate::cores::core;
use crate::interrupt;
use crate::progress::Progress;
use astromorph::Error;
use astromorph_sim::tools::{Tool, Tools};
use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Writing and verifying a flash memory takes a minute or two.
const LIMIT: Duration = Duration::from_secs(600);

/// Arguments of `flash`.
#[derive(Args)]
pub struct Flash {
    /// The bitstream (default: what `build --board` has left in `--out`, or in its own default folder).
    bitstream: Option<PathBuf>,
    /// Into the device only: gone with the power, and faster.
    #[arg(long)]
    sram: bool,
    /// Further options of openFPGALoader, as one argument ("--ftdi-serial FT1").
    #[arg(long, value_name = "OPTIONS", allow_hyphen_values = true)]
    loader_options: Option<String>,
    /// The board: icebreaker, ulx3s, colorlight-i5 or tang-nano-20k.
    #[arg(long, value_name = "NAME")]
    board: String,
    /// The board's serial port: afterwards it is asked who it is.
    #[arg(long, value_name = "PATH")]
    port: Option<String>,
}

impl Flash {
    /// Writes, verifies, and asks who is there.
    pub fn run(&self, common: &Common, progress: &Progress) -> Outcome {
        let board = Board::find(&self.board)?;
        let file = match &self.bitstream {
            Some(file) => file.clone(),
            None => built(&board, common.out.as_deref())?,
        };
        let file = bitstream(&board, &file)?;
        let tools = Tools::ensure(&[Tool::OpenFpgaLoader], |line| progress.say(line))?;
        let mut args = vec!["-b".to_string(), board.tools.loader.clone()];
        match self.sram {
            true => args.push("-m".into()),
            false => args.extend(["-f", "--verify"].map(String::from)),
        }
        let further = self.loader_options.as_deref().unwrap_or("");
        args.extend(further.split_whitespace().map(String::from));
        let stage = progress.stage(&format!("{} into {}", file.display(), board.title));
        tools
            .get(Tool::OpenFpgaLoader)?
            .run()
            .args(&args)
            .arg(&file)
            .limit(LIMIT)
            .stop_when(interrupt::flag())
            .run()?;
        let how = if self.sram { "written" } else { "written and verified" };
        progress.say(&format!("  {how}, {:.1} s", stage.seconds()));
        let Some(port) = self.port.clone() else {
            return Ok(());
        };
        for found in Ports::of_board(&board.name, vec![port]).connect()? {
            let identity = found.identity();
            progress.say(&format!(
                "  {} with core {} ({:#010x}) at {:.1} MHz answers",
                identity.board,
                identity.core.name,
                identity.core.id(),
                identity.clock_hz as f64 / 1e6
            ));
        }
        Ok(())
    }
}

/// Where `build --board` leaves the board's own bitstream.
fn built(board: &Board, out: Option<&Path>) -> Result<PathBuf, Error> {
    let name = core(&board.link.core)?.name;
    let folder = out.map_or_else(
        || Path::new("out/build").join(format!("{}-{name}", board.name)),
        Path::to_path_buf,
    );
    let file = folder.join(format!("{name}.{}", extensions(board.family).0));
    match file.is_file() {
        true => Ok(file),
        false => Err(Error::file(
            &file,
            format!(
                "no such bitstream; `astromorph build --board {}` makes it, or name one",
                board.name
            ),
        )),
    }
}

/// The file, absolute, if it can be a bitstream of the board's family.
fn bitstream(board: &Board, file: &Path) -> Result<PathBuf, Error> {
    let wanted = extensions(board.family).0;
    let found = file.extension().and_then(|e| e.to_str()).unwrap_or("none");
    if found != wanted {
        let expected = format!(".{wanted} for {}", board.title);
        return Err(Error::field(
            format!("{}: extension", file.display()),
            expected,
            format!(".{found}"),
        ));
    }
    let size = std::fs::metadata(file).map_err(|e| Error::file(file, e))?.len();
    if size == 0 {
        return Err(Error::file(file, "expected a bitstream, found an empty file"));
    }
    std::fs::canonicalize(file).map_err(|e| Error::file(file, e))
}
