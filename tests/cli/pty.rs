//! On a terminal: a display that is calm, fits, and leaves everything in order.

use std::time::{Duration, Instant};

use crate::support::letta::{self, RUN, RUN_PATH, run_answer};
use crate::support::pty::{OnTerminal, Pty, Screen};
use crate::support::{Answer, Mock, TestEnv};

/// A running run with messages; see [`end`].
fn working() -> Mock {
    let mock = letta::letta([run_answer("running", None)]);
    let words = "a long reply ".repeat(40);
    mock.on("GET", &format!("{RUN_PATH}/messages"), [Answer::json(200, &letta::messages("hi", &words))]);
    mock
}

fn watch(env: &TestEnv, mock: &Mock, flags: &[&str]) -> Pty {
    Pty::agentctl(env, ["watch", RUN, "--interval", "100ms"].iter().chain(flags)).server(&mock.url())
}

fn end(mock: &Mock) {
    mock.on("GET", RUN_PATH, [run_answer("completed", Some("end_turn"))]);
}

/// The screen of a watch whose run ends after a while.
fn watched(columns: u16, prepare: impl FnOnce(Pty) -> Pty) -> Screen {
    let (env, mock) = (TestEnv::new(), working());
    let watching = prepare(watch(&env, &mock, &[]).columns(columns)).spawn();
    watching.wait_for("running");
    mock.wait_for("GET", 8);
    end(&mock);
    watching.wait()
}

/// Watches until the display is shown, then types Ctrl-C.
fn interrupted(flags: &[&str]) -> Screen {
    let (env, mock) = (TestEnv::new(), working());
    let mut watching: OnTerminal = watch(&env, &mock, flags).spawn();
    watching.wait_for("running");
    watching.type_in("\u{3}");
    watching.wait()
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for columns in [80, 40] {
        let screen = watched(columns, |pty| pty);
        assert!(screen.code == 0, "{}", screen.raw());
        let widest = screen.widest("running");
        assert!((20..=usize::from(columns)).contains(&widest), "{widest} columns\n{}", screen.raw());
    }
}

#[test]
fn the_last_line_has_ttft_and_duration() {
    for columns in [80, 40] {
        let screen = watched(columns, |pty| pty);
        let lines = screen.lines();
        let last = lines.last().expect("a line");
        assert!(last.contains("ttft n/a") && last.contains("duration 1.4 s"), "{lines:#?}");
        assert!(screen.cursor_is_left_well(), "{}", screen.raw());
        assert!(!lines.iter().any(|line| line.contains("running")), "the display is gone: {lines:#?}");
    }
}

#[test]
fn nothing_is_drawn_while_nothing_changes() {
    let (env, mock) = (TestEnv::new(), working());
    let watching = watch(&env, &mock, &[]).spawn();
    watching.wait_for("running");
    let from = Instant::now();
    // The clock on the screen counts whole seconds: between two of them there is nothing to draw.
    mock.wait_for("GET", 60);
    let (until, seconds) = (Instant::now(), from.elapsed().as_secs());
    end(&mock);
    let screen = watching.wait();
    let quiet: Vec<&_> = screen.chunks.iter().filter(|chunk| chunk.at > from && chunk.at < until).collect();
    let mut frames = 0;
    let mut last = from;
    for chunk in quiet {
        frames += usize::from(chunk.at.duration_since(last) > Duration::from_millis(100));
        last = chunk.at;
    }
    assert!(seconds >= 2, "60 looks take longer than two seconds: {seconds}");
    let most = usize::try_from(seconds).expect("a few") + 2;
    assert!(frames <= most, "{frames} frames in {seconds} s");
}

#[test]
fn there_are_twelve_frames_a_second_at_most() {
    let (env, mock) = (TestEnv::new(), letta::letta([run_answer("running", None)]));
    let changing = (0..80).map(|number| run_answer(&format!("state-{number}"), None));
    mock.on("GET", RUN_PATH, changing.chain([run_answer("completed", Some("end_turn"))]));
    let watching = Pty::agentctl(&env, ["watch", RUN, "--interval", "50ms"]).server(&mock.url()).spawn();
    let screen = watching.wait();
    assert!(screen.code == 0, "{}", screen.raw());
    let drawn: Vec<Instant> = screen
        .chunks
        .iter()
        .flat_map(|chunk| {
            let frames = String::from_utf8_lossy(&chunk.bytes).matches("state-").count();
            std::iter::repeat_n(chunk.at, frames)
        })
        .collect();
    assert!(drawn.len() > 5, "{} frames", drawn.len());
    // Frames drawn within one second may be read over slightly more.
    for first in &drawn {
        let second = drawn.iter().filter(|at| **at >= *first && **at < *first + Duration::from_millis(950)).count();
        assert!(second <= 12, "{second} frames in a second");
    }
}

#[test]
fn after_ctrl_c_the_terminal_is_in_order() {
    for flags in [&[][..], &["-o", "json"], &["--follow"]] {
        let screen = interrupted(flags);
        assert!(screen.code != 0, "{}", screen.raw());
        assert!(screen.cursor_is_left_well(), "{:?}", screen.raw());
        let lines = screen.lines();
        assert!(lines.iter().any(|line| line.contains(&format!("agentctl watch {RUN}"))), "{lines:#?}");
        let told = lines.iter().find(|line| line.contains("detached")).expect("what happened to the run");
        assert!(told.starts_with("detached"), "on a line of its own: {lines:#?}");
        no_frame_is_left(&screen);
    }
}

#[test]
fn no_color_turns_colour_off() {
    let coloured = |text: &str| text.contains("\u{1b}[3") || text.contains("\u{1b}[9");
    assert!(coloured(&watched(80, |pty| pty).raw()));
    let screen = watched(80, |pty| pty.env("NO_COLOR", "1"));
    assert!(!coloured(&screen.raw()), "{:?}", screen.raw());
}

#[test]
fn a_dumb_terminal_gets_no_escape_codes() {
    let screen = watched(80, |pty| pty.env("TERM", "dumb"));
    assert!(screen.code == 0 && !screen.raw().contains('\u{1b}'), "{:?}", screen.raw());
    assert!(screen.raw().contains("running"), "{}", screen.raw());
}

#[test]
fn a_screen_reader_gets_lines_and_words() {
    let screen = watched(80, |pty| pty.env("ACCESSIBLE", "1"));
    let raw = screen.raw();
    assert!(screen.code == 0 && !raw.contains("\u{1b}[?25l") && !raw.contains("\u{1b}[2K"), "{raw:?}");
    assert!(!raw.contains(['→', '✓', '✗']) && raw.contains("running"), "{raw}");
}

#[test]
fn several_runs_have_a_line_each_and_a_total() {
    let (env, mock) = (TestEnv::new(), letta::letta([run_answer("running", None)]));
    let second = "run-66666666-6666-4666-8666-666666666666";
    let mut run = letta::run("running", None);
    run["id"] = second.into();
    mock.on("GET", &format!("/v1/runs/{second}"), [Answer::json(200, &run)]);
    let args = ["watch", RUN, second, "--interval", "100ms"];
    let mut watching = Pty::agentctl(&env, args).server(&mock.url()).spawn();
    watching.wait_for("2 runs: 2 open");
    watching.type_in("\u{3}");
    let screen = watching.wait();
    let lines = screen.lines();
    assert!(lines.iter().any(|line| line.contains(second)), "both can be resumed: {lines:#?}");
    no_frame_is_left(&screen);
}

#[test]
fn on_a_terminal_the_output_is_for_people() {
    let (env, mock) = (TestEnv::new(), letta::done());
    let screen = Pty::agentctl(&env, ["status", RUN]).server(&mock.url()).spawn().wait();
    assert!(screen.raw().contains("completed") && !screen.raw().contains("{\""), "{}", screen.raw());
    let chosen = Pty::agentctl(&env, ["status", RUN]).env("AGENTCTL_OUTPUT", "json").server(&mock.url()).spawn().wait();
    assert!(chosen.raw().starts_with('{'), "{}", chosen.raw());
}

#[test]
fn ctrl_z_leaves_a_clean_screen_and_the_watch_goes_on() {
    let (env, mock) = (TestEnv::new(), working());
    // An interactive shell has job control; its prompt says when it is back.
    let script = format!("set -m; agentctl watch {RUN} --interval 100ms; echo back; fg >/dev/null; echo over");
    let mut shell = Pty::bash(&env, &script).server(&mock.url()).spawn();
    shell.wait_for("running");
    shell.type_in("\u{1a}");
    shell.wait_for("back");
    end(&mock);
    shell.wait_for("over");
    let screen = shell.wait();
    assert!(screen.raw().contains("ttft"), "{}", screen.raw());
    assert!(screen.cursor_is_left_well(), "{:?}", screen.raw());
    no_frame_is_left(&screen);
}

/// Checks that the display was erased, whatever the terminal echoed after it.
fn no_frame_is_left(screen: &Screen) {
    let lines = screen.lines();
    assert!(!lines.iter().any(|line| line.contains("running run-") || line.contains("runs: ")), "{lines:#?}");
}

#[test]
fn an_outage_is_shown_with_its_length_and_its_end() {
    let (env, mock) = (TestEnv::new(), letta::letta([run_answer("running", None), Answer::status(503)]));
    let watching = watch(&env, &mock, &[]).spawn();
    watching.wait_for("no answer from the server");
    end(&mock);
    let screen = watching.wait();
    assert!(screen.code == 0, "{}", screen.raw());
    assert!(!screen.lines().iter().any(|line| line.contains("no answer")), "{:#?}", screen.lines());
}
