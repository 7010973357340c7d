//! Running an outside tool.
//!
//! | item | |
//! |---|---|
//! | time limit | every run has one; at the limit the whole process group is killed |
//! | output | standard output and error are captured, never printed |
//! | failure | non-zero exit, a signal, a forbidden text in the output, a missing or empty output file |
//! | stop | a flag that, once set, ends the process group: the tools are in groups of their own and hear no Ctrl-C |
//! | freshness | every declared output is removed before the run, so what is there afterwards is new |

use crate::error::{Error, Result};
use std::io::Read;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// What a successful run said.
#[derive(Clone, Debug)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    pub elapsed: Duration,
}

/// One run of one tool, described before it starts.
#[derive(Debug)]
pub struct Run {
    tool: String,
    command: Command,
    limit: Duration,
    outputs: Vec<PathBuf>,
    forbidden: Vec<&'static str>,
    stop: Option<&'static AtomicBool>,
}

impl Run {
    /// `tool` is the name in error messages; the default limit is ten minutes.
    pub fn new(tool: &str, program: impl AsRef<std::ffi::OsStr>) -> Self {
        let mut command = Command::new(program);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Run {
            tool: tool.to_string(),
            command,
            limit: Duration::from_secs(600),
            outputs: Vec::new(),
            forbidden: Vec::new(),
            stop: None,
        }
    }

    pub fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub fn args<S: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub fn env(mut self, key: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    pub fn dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// A file the tool must write anew (absolute, or relative to this process).
    pub fn output(mut self, path: impl Into<PathBuf>) -> Self {
        self.outputs.push(path.into());
        self
    }

    /// A text that makes the run a failure whatever the exit status says.
    pub fn forbid(mut self, text: &'static str) -> Self {
        self.forbidden.push(text);
        self
    }

    /// Kills the tool, and gives [`Error::Interrupted`], as soon as the flag is set.
    pub fn stop_when(mut self, flag: &'static AtomicBool) -> Self {
        self.stop = Some(flag);
        self
    }

    /// Starts the tool, waits for it, and checks everything declared.
    pub fn run(mut self) -> Result<Output> {
        for path in &self.outputs {
            match std::fs::remove_file(path) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::io("remove", path)(e));
                }
                _ => {}
            }
        }
        let start = Instant::now();
        let mut child = self.command.spawn().map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => Error::ToolMissing {
                tool: self.tool.clone(),
                expected: "to be installed".into(),
                found: format!("no program {}", self.command.get_program().display()),
            },
            _ => Error::ToolFailed {
                tool: self.tool.clone(),
                found: format!("it cannot be started: {e}"),
                log: String::new(),
            },
        })?;
        let out = drain(child.stdout.take());
        let err = drain(child.stderr.take());
        let over = |elapsed: Duration| elapsed >= self.limit || self.stopped();
        let status = wait(&mut child, start, over);
        let stdout = out.join().unwrap_or_default();
        let stderr = err.join().unwrap_or_default();
        let status = status
            .map_err(|e| self.failed(format!("no exit status: {e}"), &stdout, &stderr))?
            .ok_or_else(|| {
                let tool = self.tool.clone();
                match self.stopped() {
                    true => Error::Interrupted { tool },
                    false => Error::TimedOut {
                        tool,
                        limit: self.limit,
                    },
                }
            })?;
        if let Some(signal) = status.signal() {
            return Err(self.failed(format!("killed by signal {signal}"), &stdout, &stderr));
        }
        if !status.success() {
            let code = status.code().unwrap_or(-1);
            return Err(self.failed(format!("exit status {code}"), &stdout, &stderr));
        }
        if let Some(text) = self
            .forbidden
            .iter()
            .find(|t| stdout.contains(**t) || stderr.contains(**t))
        {
            return Err(self.failed(format!("\"{text}\" in its output"), &stdout, &stderr));
        }
        for path in &self.outputs {
            let found = match std::fs::metadata(path) {
                Ok(m) if m.len() > 0 => continue,
                Ok(_) => "an empty file",
                Err(_) => "no file",
            };
            return Err(Error::NoOutput {
                tool: self.tool.clone(),
                path: path.clone(),
                found: found.into(),
                log: tail(&stdout, &stderr),
            });
        }
        Ok(Output {
            stdout,
            stderr,
            elapsed: start.elapsed(),
        })
    }

    fn stopped(&self) -> bool {
        self.stop.is_some_and(|flag| flag.load(Ordering::SeqCst))
    }

    fn failed(&self, found: String, stdout: &str, stderr: &str) -> Error {
        Error::ToolFailed {
            tool: self.tool.clone(),
            found,
            log: tail(stdout, stderr),
        }
    }
}

/// The end of both streams: enough to understand a failure, short enough for a terminal.
fn tail(stdout: &str, stderr: &str) -> String {
    let last = |text: &str| {
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    };
    format!("{}\n{}", last(stdout), last(stderr)).trim().to_string()
}

/// Reads a pipe to its end on a thread of its own: a tool that fills one pipe while we read the
/// other would otherwise wait for ever.
fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // A broken pipe ends the capture; the exit status decides.
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// `None` when it was `over` and the group was killed.
fn wait(
    child: &mut Child,
    start: Instant,
    over: impl Fn(Duration) -> bool,
) -> std::io::Result<Option<std::process::ExitStatus>> {
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if over(start.elapsed()) {
            // The group was made by `process_group(0)`: its number is the child's.
            // The shell's own `kill`: a bare machine may have no program of that name.
            let _ = Command::new("sh")
                .args(["-c", &format!("kill -s KILL -- -{}", child.id())])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            let _ = child.kill();
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Run {
        Run::new("shell", "sh").arg("-c").arg(script)
    }

    #[test]
    fn captures_both_streams() {
        let o = shell("echo one; echo two >&2").run().unwrap();
        assert_eq!((o.stdout.trim(), o.stderr.trim()), ("one", "two"));
    }

    #[test]
    fn a_stale_or_empty_output_is_caught_in_spite_of_exit_status_zero() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("netlist.v");
        std::fs::write(&path, "old").unwrap();
        let e = shell("true").output(&path).run().unwrap_err();
        assert!(matches!(e, Error::NoOutput { .. }), "{e}");
        let script = format!(": > {}", path.display());
        let e = shell(&script).output(&path).run().unwrap_err();
        assert!(e.to_string().contains("an empty file"), "{e}");
    }

    #[test]
    fn exit_status_signal_and_forbidden_text_are_failures() {
        let e = shell("exit 3").run().unwrap_err();
        assert!(e.to_string().contains("exit status 3"), "{e}");
        let e = shell("kill -SEGV $$").run().unwrap_err();
        assert!(e.to_string().contains("signal 11"), "{e}");
        let e = shell("echo Driver-driver conflict")
            .forbid("Driver-driver conflict")
            .run()
            .unwrap_err();
        assert!(matches!(e, Error::ToolFailed { .. }), "{e}");
    }

    #[test]
    fn the_limit_stops_grandchildren_too() {
        let start = Instant::now();
        let e = shell("sleep 60 & sleep 60")
            .limit(Duration::from_millis(100))
            .run()
            .unwrap_err();
        assert!(matches!(e, Error::TimedOut { .. }), "{e}");
        assert!(start.elapsed() < Duration::from_secs(20));
    }

    #[test]
    fn the_flag_stops_a_tool_that_would_go_on() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let start = Instant::now();
        let setter = std::thread::spawn(|| {
            std::thread::sleep(Duration::from_millis(100));
            STOP.store(true, Ordering::SeqCst);
        });
        let e = shell("sleep 60").stop_when(&STOP).run().unwrap_err();
        assert!(matches!(e, Error::Interrupted { .. }), "{e}");
        assert!(start.elapsed() < Duration::from_secs(20));
        setter.join().unwrap();
    }

    #[test]
    fn an_absent_program_is_a_missing_tool() {
        let e = Run::new("nothing", "astromorph-no-such-program").run();
        assert!(e.unwrap_err().is_tool_missing());
    }
}
